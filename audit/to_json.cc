// One record as one line of JSON. Strict: what the schema does not allow is an
// error, because an auditor must not be shown a record we only half understood.
#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

#include "audit/cbor.h"
#include "audit/record_key.h"
#include "audit/sha256.h"
#include "audit/utf8.h"
#include "audit/verify.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

enum class Form {
  time,
  epoch,
  number,
  salt,
  digest,
  phase,
  ruling,
  text,
  texts,
  counts,
  actors,
  flag
};

struct Field {
  std::string_view name;
  Form form = Form::number;
};

/// Indexed by key - 1. Without a name are those that no record has yet.
constexpr std::array<Field, last_key> fields{{
    {"time", Form::time},
    {"epoch", Form::epoch},
    {"worker", Form::number},
    {"sequence", Form::number},
    {"salt", Form::salt},
    {"phase", Form::phase},
    {"monotonic_ns", Form::number},
    {"session", Form::number},
    {"operation", Form::number},
    {"configuration", Form::number},
    {"subject", Form::text},
    {"issuer", Form::text},
    {"proof", Form::text},
    {"credential", Form::text},
    {"groups", Form::texts},
    {"peer", Form::text},
    {"listener", Form::text},
    {"target", Form::text},
    {"protocol", Form::text},
    {"verb", Form::text},
    {"resource", Form::text},
    {"host", Form::text},
    {"ruling", Form::ruling},
    {"rule", Form::text},
    {"reason", Form::text},
    {"status", Form::number},
    {"result", Form::text},
    {"bytes_in", Form::number},
    {"bytes_out", Form::number},
    {"duration_ns", Form::number},
    {"upstream", Form::text},
    {"masks", Form::counts},
    {"event", Form::text},
    {"detail", Form::text},
    {"cut", Form::flag},
    {"rows_in", Form::number},
    {"rows_out", Form::number},
    {"digest", Form::digest},
    {"policy", Form::digest},
    {"upstream_user", Form::text},
    {"operations", Form::number},
    {"first_sequence", Form::number},
    {"last_sequence", Form::number},
    {"recording", Form::text},
    {"certificate", Form::digest},
    {"delegation", Form::actors},
    {"approval", Form::text},
    {"binding", Form::digest},
}};
constexpr std::array<std::string_view, 8> phases{
    "intent", "outcome", "session", "control", "heartbeat", "approval", "gap", "discontinuity"};
constexpr std::array<std::string_view, 3> rulings{"allow", "deny", "hold"};
constexpr std::size_t always_keys = static_cast<std::size_t>(Key::monotonic);
constexpr std::size_t salt_bytes = 16;

/// Escapes all that a terminal could act on: C0, DEL, and C1 in its UTF-8 form.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else if (byte == 0xc2 && next < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  out += '"';
}

/// RFC 3339 in UTC with nanoseconds.
bool append_time(std::string& out, std::uint64_t ns) {
  constexpr std::uint64_t second_ns = 1'000'000'000;
  const auto seconds = static_cast<std::time_t>(ns / second_ns);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return false;
  fmt::format_to(std::back_inserter(out), "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z\"",
                 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                 parts.tm_sec, ns % second_ns);
  return true;
}

template <std::size_t N>
bool append_name(std::string& out, const std::array<std::string_view, N>& names,
                 std::uint64_t number) {
  if (number == 0 || number > N || names[number - 1].empty()) return false;
  fmt::format_to(std::back_inserter(out), "\"{}\"", names[number - 1]);
  return true;
}

/// A text, or an object with the bytes in hex when it was not UTF-8.
bool append_text(std::string& out, cbor::Reader& in) {
  const auto head = in.head();
  if (!head || (head->major != cbor::Major::text && head->major != cbor::Major::bytes))
    return false;
  const auto content = in.content(head->value);
  if (!content) return false;
  const bool is_text = is_utf8(as_text(*content));
  if (is_text != (head->major == cbor::Major::text)) return false;
  if (is_text)
    append_quoted(out, as_text(*content));
  else
    fmt::format_to(std::back_inserter(out), "{{\"hex\":\"{}\"}}", to_hex(*content));
  return true;
}

bool append_hex(std::string& out, cbor::Reader& in, std::size_t bytes) {
  const auto content = in.string(cbor::Major::bytes);
  if (!content || content->size() != bytes) return false;
  fmt::format_to(std::back_inserter(out), "\"{}\"", to_hex(*content));
  return true;
}

template <class Element>
bool append_list(std::string& out, cbor::Reader& in, Element&& element) {
  const auto count = in.expect(cbor::Major::array);
  if (!count) return false;
  out += '[';
  for (std::uint64_t i = 0; i < *count; ++i) {
    if (i != 0) out += ',';
    if (!element()) return false;
  }
  out += ']';
  return true;
}

bool append_count(std::string& out, cbor::Reader& in) {
  const auto size = in.expect(cbor::Major::array);
  if (!size || *size != 2) return false;
  out += "{\"rule\":";
  if (!append_text(out, in)) return false;
  const auto count = in.unsigned_integer();
  if (!count) return false;
  fmt::format_to(std::back_inserter(out), ",\"count\":{}}}", *count);
  return true;
}

bool append_actor(std::string& out, cbor::Reader& in) {
  const auto size = in.expect(cbor::Major::array);
  if (!size || *size != 2) return false;
  out += "{\"subject\":";
  if (!append_text(out, in)) return false;
  out += ",\"issuer\":";
  if (!append_text(out, in)) return false;
  out += '}';
  return true;
}

bool append_value(std::string& out, cbor::Reader& in, Form form) {
  switch (form) {
    case Form::text:
      return append_text(out, in);
    case Form::texts:
      return append_list(out, in, [&] { return append_text(out, in); });
    case Form::counts:
      return append_list(out, in, [&] { return append_count(out, in); });
    case Form::actors:
      return append_list(out, in, [&] { return append_actor(out, in); });
    case Form::flag:
      out += "true";
      return in.boolean_true();
    case Form::salt:
      return append_hex(out, in, salt_bytes);
    case Form::digest:
      return append_hex(out, in, sizeof(Hash));
    default:
      break;
  }
  const auto number = in.unsigned_integer();
  if (!number) return false;
  switch (form) {
    case Form::time:
      return append_time(out, *number);
    case Form::phase:
      return append_name(out, phases, *number);
    case Form::ruling:
      return append_name(out, rulings, *number);
    case Form::epoch:  // uses all 64 bits, more than many JSON readers keep of a number
      fmt::format_to(std::back_inserter(out), "\"{:016x}\"", *number);
      return true;
    default:
      fmt::format_to(std::back_inserter(out), "{}", *number);
      return true;
  }
}

}  // namespace

Result<std::string> to_json(ByteView record) {
  cbor::Reader in(record);
  const auto members = in.expect(cbor::Major::map);
  if (!members) return fail("not a record: no CBOR map");
  std::string out = "{";
  std::uint64_t previous = 0;
  for (std::uint64_t i = 0; i < *members; ++i) {
    const auto key = in.unsigned_integer();
    if (!key || *key <= previous || *key > last_key || fields[*key - 1].name.empty()) {
      return fail(fmt::format("not a record: member {} has a bad or misplaced key", i));
    }
    if (*key != i + 1 && i < always_keys) {
      return fail(fmt::format("not a record: \"{}\" is missing", fields[i].name));
    }
    previous = *key;
    const Field& field = fields[*key - 1];
    fmt::format_to(std::back_inserter(out), "{}\"{}\":", i == 0 ? "" : ",", field.name);
    if (!append_value(out, in, field.form)) {
      return fail(fmt::format("not a record: \"{}\" has a bad value", field.name));
    }
  }
  if (previous < always_keys) return fail("not a record: too few members");
  if (!in.at_end()) return fail("not a record: bytes follow the map");
  out += '}';
  return out;
}

}  // namespace sluice::audit
