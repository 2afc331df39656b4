// Function calls outside of statements: how libraries read and write large objects. Each
// is judged as the SELECT that calls the same function.
//
// source   PostgreSQL manual, "Function Call"; "Large Objects", "Client Interfaces".
#include <algorithm>
#include <array>

#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {
namespace {

using postgres::Oid;

constexpr Oid type_bytea = 17;
constexpr Oid type_int8 = 20;
constexpr Oid type_int4 = 23;
constexpr Oid type_oid = 26;

/// A function that comes with the server, so that its number never changes.
struct Callable {
  Oid function = 0;
  std::string_view text;
  std::array<Oid, 3> arguments{};
  Oid result = type_int4;
};

constexpr auto callables = std::to_array<Callable>({
    {715, "SELECT pg_catalog.lo_create($1)", {type_oid}, type_oid},
    {952, "SELECT pg_catalog.lo_open($1, $2)", {type_oid, type_int4}},
    {953, "SELECT pg_catalog.lo_close($1)", {type_int4}},
    {954, "SELECT pg_catalog.loread($1, $2)", {type_int4, type_int4}, type_bytea},
    {955, "SELECT pg_catalog.lowrite($1, $2)", {type_int4, type_bytea}},
    {956, "SELECT pg_catalog.lo_lseek($1, $2, $3)", {type_int4, type_int4, type_int4}},
    {957, "SELECT pg_catalog.lo_creat($1)", {type_int4}, type_oid},
    {958, "SELECT pg_catalog.lo_tell($1)", {type_int4}},
    {964, "SELECT pg_catalog.lo_unlink($1)", {type_oid}},
    {1004, "SELECT pg_catalog.lo_truncate($1, $2)", {type_int4, type_int4}},
    {3170,
     "SELECT pg_catalog.lo_lseek64($1, $2, $3)",
     {type_int4, type_int8, type_int4},
     type_int8},
    {3171, "SELECT pg_catalog.lo_tell64($1)", {type_int4}, type_int8},
    {3172, "SELECT pg_catalog.lo_truncate64($1, $2)", {type_int4, type_int8}},
});

const Callable* find_callable(Oid function) {
  const auto found = std::ranges::find(callables, function, &Callable::function);
  return found == callables.end() ? nullptr : &*found;
}

}  // namespace

/// False when it is malformed.
bool PostgresSession::on_function_call(const PostgresInbox::Message& message) {
  const auto call = postgres::decode_function_call(message.body());
  if (!call) return false;
  const Callable* const callable = find_callable(call->function);
  if (callable == nullptr) {
    refuse_message("0A000", "the gateway passes on function calls for large objects only",
                   "call the function with SELECT", true);
    return true;
  }
  Meaning arguments;
  if (looks_at_parameters()) {
    look_at_parameters(call->arguments, call->argument_formats, callable->arguments, arguments);
  }
  auto judged = judge(callable->text, &arguments);
  if (!judged) return true;
  has_described_ = false;
  if (judged->ruling.kind == config::Ruling::Kind::hold) {
    judged->ruling = {config::Ruling::Kind::deny, judged->ruling.rule,
                      "it needs approval: call the function with SELECT"};
  }
  if (judged->ruling.kind != config::Ruling::Kind::allow) {
    refuse_statement(*judged, true);
    return true;
  }
  if (!keeps_rates(*judged, true)) return true;
  if (!begin_operation(*judged, message.header.body_bytes, nullptr)) return true;
  expect(Expected::Kind::query);
  expected_.back().has_operation = true;
  expected_.back().called = {callable->result, call->result_format};
  note_origin(judged->info);
  send_on(message);
  return true;
}

/// Masked as the only value of a row. False when nothing was called.
bool PostgresSession::on_function_result(const PostgresInbox::Message& message) {
  if (!answers({Expected::Kind::query})) return false;
  const Called called = std::exchange(expected_.front().called, {});
  const ByteView value = message.body();
  if (called.result == 0 || !postgres::decode_function_call_response(value)) return false;
  if (!may_bring(value.size())) return true;
  note_row(value.size());

  // A row of one column: behind its count a value stands as it does in a result.
  constexpr std::size_t count_bytes = 2;
  const auto size = static_cast<std::uint32_t>(value.size());
  report_.resize(postgres::header_bytes + count_bytes);
  postgres::Writer(report_).data_row_head(1, count_bytes + size);
  report_.insert(report_.end(), value.begin(), value.end());
  report_.resize(report_.size() + readable_tail_bytes);
  const ByteSpan row = ByteSpan(report_).first(report_.size() - readable_tail_bytes);
  rows_.describe(called.result, called.format);
  const auto rewritten = rows_.mask(worker_.scratch, masks(), row, mask_counts_);
  rewritten ? report_.assign(rewritten->begin(), rewritten->end()) : report_.resize(row.size());
  rows_.forget();
  const ByteSpan result = ByteSpan(report_).subspan(count_bytes);
  postgres::Writer(result).function_call_response_head(
      static_cast<std::uint32_t>(result.size() - postgres::header_bytes));
  if (expected_.front().has_operation) hold_answer();
  copy_on(result);
  return true;
}

}  // namespace sluice::dataplane
