#include "dataplane/session/http_actions.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "config/model/limits.h"
#include "dataplane/session/heads.h"
#include "parsers/http1/fields.h"

namespace sluice::dataplane {
namespace {

using http1::Field;
using http1::FieldName;

/// Appends to a bounded text; what does not fit is cut.
class Text {
 public:
  explicit Text(ByteSpan room) noexcept : room_(room) {}

  void append(std::string_view text) noexcept {
    const std::size_t n = std::min(text.size(), room_.size() - size_);
    std::memcpy(room_.data() + size_, text.data(), n);
    size_ += n;
  }
  void append_lower(std::string_view text) noexcept {
    const std::size_t from = size_;
    append(text);
    for (std::uint8_t& c : room_.subspan(from, size_ - from)) c = lower_of(c);
  }
  [[nodiscard]] ByteSpan room_left() const noexcept { return room_.subspan(size_); }
  void grew(std::size_t bytes) noexcept { size_ += bytes; }
  [[nodiscard]] ByteView bytes() const noexcept { return room_.first(size_); }

 private:
  ByteSpan room_;
  std::size_t size_ = 0;
};

/// A line is no longer than what it was read from, so all of them fit.
static_assert(config::head_bytes_limit <= head_bytes_max);

/// Header lines as policy's patterns expect them: "name: value\n", names in
/// lower case. A value cannot hold a line feed: the decoder refuses it.
ByteView header_lines(const ListenerPlan& listener, const http1::RequestHead& head,
                      ByteSpan room) noexcept {
  Text lines(room);
  lines.append("host: ");  // However the client named it, this is what goes on.
  lines.append(head.host);
  lines.append("\n");
  for (const Field& field : head.fields) {
    if (field.id == FieldName::host || is_without_standing(field, listener.settings)) continue;
    lines.append_lower(field.name);
    lines.append(": ");
    lines.append(field.value);
    lines.append("\n");
  }
  return lines.bytes();
}

}  // namespace

PresentedCredential presented_credential(const http1::RequestHead& head) noexcept {
  PresentedCredential presented;
  for (const Field& field : head.fields) {
    if (field.id != FieldName::x_api_key && field.id != FieldName::authorization) continue;
    presented.is_repeated = presented.credential.has_value();
    if (presented.is_repeated) break;
    presented.credential = field.id == FieldName::x_api_key
                               ? identity::parse_api_key_field(field.value)
                               : identity::parse_authorization(field.value);
  }
  return presented;
}

config::HttpAction http_action(const ListenerPlan& listener, const http1::RequestHead& head,
                               const http1::Target& target, const ActionRoom& room) noexcept {
  config::HttpAction action;
  action.method = head.method_text;
  action.path_hits = listener.policy.paths().find(target.path, room.path_search);
  if (listener.headers != nullptr) {
    const matcher::Hits found =
        listener.headers->scan(header_lines(listener, head, room.lines), room.scratch);
    // The next scan reuses the scratch memory.
    room.header_hits.assign(found.begin(), found.end());
    action.header_hits = room.header_hits;
  }
  return action;
}

BodyHits scan_body(const ListenerPlan& listener, std::span<const ByteView> pieces,
                   matcher::BodyKind kind, matcher::Scratch& scratch) noexcept {
  BodyHits found;
  found.hits = listener.bodies->scan_body(pieces, kind, scratch);
  // The patterns' own comes behind policy's (snapshot.cc), and hits ascend.
  const std::size_t own = listener.bodies->size() - 1;
  found.has_coded_part = !found.hits.empty() && found.hits.back() == own;
  if (found.has_coded_part) found.hits = found.hits.first(found.hits.size() - 1);
  return found;
}

bool is_in_wide_characters(std::span<const ByteView> pieces, const BodyReading& reading) noexcept {
  const std::string_view start = pieces.empty() ? std::string_view{} : as_text(pieces.front());
  if (start.starts_with("\xFE\xFF") || start.starts_with("\xFF\xFE")) return true;
  return reading.is_textual && std::any_of(pieces.begin(), pieces.end(), [](ByteView piece) {
           return as_text(piece).find('\0') != std::string_view::npos;
         });
}

void describe_operation(const Snapshot& snapshot, const http1::RequestHead& head,
                        const http1::Target& target, audit::Record& record,
                        WorkerContext& worker) noexcept {
  worker.unmasked = {head.method_text, target.whole};
  record.unmasked = std::span(worker.unmasked).first(2);
  record.policy = snapshot.policy_digest;
  Text masked(worker.record_room);
  const auto mask = [&](matcher::BodyKind kind, std::string_view in) {
    const ByteSpan room =
        masked.room_left().first(std::min(masked.room_left().size(), record_text_bytes_max));
    const std::size_t size = matcher::mask_text(*snapshot.masks, snapshot.record_masks, kind, {},
                                                as_bytes(in), room, worker.text_scratch, {});
    masked.grew(size);
    return as_text(room.first(size));
  };
  const auto* const begin = masked.room_left().data();
  // Read as a form, so that values show through the path's escapes, too.
  mask(matcher::BodyKind::form, target.path);
  if (target.whole.size() > target.path.size()) {
    masked.append("?");
    mask(matcher::BodyKind::form, target.query);
  }
  record.resource = as_text({begin, masked.room_left().data()});
  if (const auto known = worker.masked_host.find(head.host, snapshot.generation)) {
    record.host = *known;
  } else {
    record.host = mask(matcher::BodyKind::text, head.host);
    worker.masked_host.remember(head.host, snapshot.generation, record.host);
  }
  record.verb = head.method == http1::Method::other
                    ? mask(matcher::BodyKind::text, head.method_text)
                    : head.method_text;
}

std::string_view host_of(std::string_view endpoint_text) noexcept {
  std::string_view host = endpoint_text.substr(0, endpoint_text.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace sluice::dataplane
