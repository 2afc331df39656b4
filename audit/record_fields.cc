#include "audit/record_fields.h"

#include "audit/cbor.h"
#include "audit/record_key.h"
#include "audit/sha256.h"

namespace sluice::audit {
namespace {

std::uint64_t* number_member(RecordFields& out, Key key) noexcept {
  switch (key) {
    case Key::time:
      return &out.time_ns;
    case Key::epoch:
      return &out.epoch;
    case Key::worker:
      return &out.worker;
    case Key::sequence:
      return &out.sequence;
    case Key::phase:
      return &out.phase;
    case Key::session:
      return &out.session;
    case Key::operation:
      return &out.operation;
    case Key::ruling:
      return &out.ruling;
    default:
      return nullptr;
  }
}

std::string_view* text_member(RecordFields& out, Key key) noexcept {
  switch (key) {
    case Key::subject:
      return &out.subject;
    case Key::target:
      return &out.target;
    case Key::rule:
      return &out.rule;
    case Key::event:
      return &out.event;
    case Key::detail:
      return &out.detail;
    case Key::recording:
      return &out.recording;
    default:
      return nullptr;
  }
}

bool read_text(cbor::Reader& in, std::string_view& out) noexcept {
  const auto head = in.head();
  if (!head || (head->major != cbor::Major::text && head->major != cbor::Major::bytes)) {
    return false;
  }
  const auto content = in.content(head->value);
  if (content) out = as_text(*content);
  return content.has_value();
}

bool read_member(cbor::Reader& in, Key key, RecordFields& out) noexcept {
  if (std::uint64_t* const number = number_member(out, key)) {
    const auto value = in.unsigned_integer();
    *number = value.value_or(0);
    return value.has_value();
  }
  if (std::string_view* const text = text_member(out, key)) return read_text(in, *text);
  if (key != Key::policy) return in.skip();
  const auto digest = in.string(cbor::Major::bytes);
  out.policy = digest.value_or(ByteView{});
  return out.policy.size() == sizeof(Hash);
}

}  // namespace

std::optional<RecordFields> fields_of(ByteView record) noexcept {
  cbor::Reader in(record);
  const auto members = in.expect(cbor::Major::map);
  if (!members) return std::nullopt;
  RecordFields out;
  std::uint64_t previous = 0;
  for (std::uint64_t i = 0; i < *members; ++i) {
    const auto key = in.unsigned_integer();
    if (!key || *key <= previous || *key > last_key) return std::nullopt;
    if (!read_member(in, static_cast<Key>(*key), out)) return std::nullopt;
    previous = *key;
  }
  if (!in.at_end() || out.sequence == 0) return std::nullopt;
  return out;
}

}  // namespace sluice::audit
