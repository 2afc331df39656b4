// What a rule lets one execution bring, and how often one may begin. What it brings too
// much is not passed on; the client gets an error in its place, and the target's
// transaction is made to fail as by an error of its own.
//
// An execution with such limits is waited for before anything behind it is judged: so
// nothing behind it has run when it is cut.
#include <fmt/format.h>

#include <array>

#include "dataplane/session/postgres_session.h"
#include "dataplane/session/record_id.h"

namespace sluice::dataplane {

using postgres::BackendType;
using postgres::FrontendType;
using postgres::TransactionStatus;

namespace {

/// CopyFail with an empty reason.
constexpr auto copy_fail = std::to_array<std::uint8_t>({'f', 0, 0, 0, 5, 0});

}  // namespace

/// Takes the execution off the rates of the rules that allow it. False: refused.
bool PostgresSession::keeps_rates(const JudgedStatement& judged, bool is_query) {
  const std::uint64_t which = judged.ruling.limits.rates;
  if (which == 0) return true;
  const config::Principal& principal = principal_->who();
  const std::uint64_t count = std::max<std::size_t>(judged.info->facts.size(), 1);
  const RateLimiter::Answer answer =
      worker_.rates.take(plan().policy.rates(), which, {principal.issuer, principal.subject}, count,
                         worker_.now.monotonic);
  if (answer.exceeded == nullptr) return true;
  JudgedStatement refused = judged;
  refused.ruling = {config::Ruling::Kind::deny,
                    answer.exceeded->rule,
                    "more executions than the rule's rate allows: try again later",
                    {}};
  refuse_statement(refused, is_query, "53400");
  return false;
}

/// What an execution may bring. portal  it is executed by; null with Query.
ExecutionMeter PostgresSession::meter_of(const JudgedStatement& judged, Meaning* portal) const {
  const config::Limiting& limits = judged.ruling.limits;
  if (!limits.bounds_result()) return {};
  // Fetched row by row, a portal brings no more than at once.
  if (portal != nullptr && portal->brought == nullptr)
    portal->brought = std::make_shared<Brought>();
  const config::Policy& policy = plan().policy;
  return {policy.rows_bound(limits), policy.bytes_bound(limits),
          portal == nullptr ? nullptr : portal->brought};
}

/// Whether this message of the client's is read only when what runs is over.
bool PostgresSession::waits_for_limited(FrontendType type) const noexcept {
  if (operations_open_.empty() || !operations_open_.back().meter.is_limited()) return false;
  if (copies_in_ || type == FrontendType::terminate) return false;
  // A COPY that took the client's data brings nothing, and is answered behind Sync.
  if (operations_open_.back().has_copied_in && answers({Expected::Kind::execute})) return false;
  return type != FrontendType::copy_data && type != FrontendType::copy_done &&
         type != FrontendType::copy_fail;
}

/// Whether a row, or a piece of COPY's data, may go to the client.
bool PostgresSession::may_bring(std::uint64_t row_bytes) {
  if (operations_open_.empty()) return true;
  ExecutionMeter& meter = operations_open_.front().meter;
  if (meter.is_cut()) return false;
  if (meter.admits(row_bytes)) return true;
  cut(operations_open_.front());
  return false;
}

void PostgresSession::cut(Operation& operation) {
  const ExecutionMeter::Cut& why = operation.meter.cut();
  std::array<char, 64> id{};
  const std::string message = fmt::format("the execution was cut: it brings {}", why.reason);
  const std::string detail =
      fmt::format("rule {}, record {}", why.rule, record_id(worker_.log, operation.record, id));
  hold_answer();
  const bool told = client_out_.write([&](postgres::Writer& writer) {
    writer.error_response({.code = "54000",
                           .message = message,
                           .detail = detail,
                           .hint = "ask for less: add a condition or LIMIT"});
  });
  if (!told) fail_session("53000", "the gateway has no buffer free", "no-buffers");
}

bool PostgresSession::is_cut() const noexcept {
  return !operations_open_.empty() && operations_open_.front().meter.is_cut();
}

/// What the target still says of an execution that was cut. False: this is not about it.
bool PostgresSession::on_reply_after_cut(BackendType type) {
  const bool is_query = expected_.front().kind == Expected::Kind::query;
  switch (type) {
    case BackendType::row_description:
    case BackendType::no_data:
    case BackendType::data_row:
    case BackendType::copy_out_response:
    case BackendType::copy_data:
    case BackendType::copy_done:
      return true;
    case BackendType::copy_in_response:
      // Another statement of the same text: the client knows nothing of it.
      if (!upstream_out_.copy(copy_fail)) {
        fail_session("53000", "the gateway has no buffer free", "no-buffers");
      }
      return true;
    case BackendType::command_complete:
    case BackendType::empty_query_response:
    case BackendType::portal_suspended:
      if (!is_query) end_cut_execution(true);
      return true;
    case BackendType::error_response:
      if (!is_query) end_cut_execution(false);
      return true;
    default:
      return false;
  }
}

/// Of a portal. What comes up to the client's Sync is skipped, as after any error.
void PostgresSession::end_cut_execution(bool needs_spoil) {
  end_operation("cut");
  pop_expected();
  has_described_ = false;
  skips_ = true;
  skips_need_spoil_ = needs_spoil;
}

}  // namespace sluice::dataplane
