#include "audit/record.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "audit/cbor.h"
#include "audit/record_key.h"
#include "audit/utf8.h"
#include "base/assert.h"

namespace sluice::audit {
namespace {

/// How much of a record is kept when it does not fit as it is.
struct Limits {
  std::size_t text_bytes = std::numeric_limits<std::size_t>::max();
  std::size_t elements = std::numeric_limits<std::size_t>::max();  ///< Of each list.
};

/// All heads, integers, the salt, the digests and the flag of a record, rounded
/// up: keys of at most two bytes, each with a value head of at most nine.
constexpr std::size_t fixed_bytes_max = last_key * (2 + cbor::head_bytes_max) + 16 + 4 * 32 + 4;
/// Beyond its characters, a group costs a head, a mask two and a count, an actor three.
constexpr std::size_t group_overhead_bytes = cbor::head_bytes_max;
constexpr std::size_t mask_overhead_bytes = 1 + 2 * cbor::head_bytes_max;
constexpr std::size_t actor_overhead_bytes = 1 + 2 * cbor::head_bytes_max;

template <class Each>
void for_each_text(const Record& r, Each&& each) {
  each(r.subject), each(r.issuer), each(r.proof), each(r.credential_id), each(r.peer);
  each(r.listener), each(r.target), each(r.protocol), each(r.verb), each(r.resource), each(r.host);
  each(r.rule), each(r.reason);
  each(r.result), each(r.upstream), each(r.upstream_user), each(r.event), each(r.detail);
  each(r.recording), each(r.approval);
}

template <class T>
std::span<const T> within(std::span<const T> list, const Limits& limits) noexcept {
  return list.first(std::min(list.size(), limits.elements));
}

std::size_t bytes_within(const Record& record, const Limits& limits) noexcept {
  std::size_t total = fixed_bytes_max;
  const auto add = [&](std::string_view text) {
    total += std::min(text.size(), limits.text_bytes);
  };
  for_each_text(record, add);
  for (const auto& group : within(record.groups, limits)) {
    total += group_overhead_bytes;
    add(group);
  }
  for (const auto& mask : within(record.masks, limits)) {
    total += mask_overhead_bytes;
    add(mask.rule);
  }
  for (const auto& actor : within(record.delegation, limits)) {
    total += actor_overhead_bytes;
    add(actor.subject), add(actor.issuer);
  }
  return total;
}

/// Whether something of the record is left out.
bool cuts(const Record& record, const Limits& limits) noexcept {
  if (limits.text_bytes == Limits{}.text_bytes) return false;
  bool is_cut = std::max({record.groups.size(), record.masks.size(), record.delegation.size()}) >
                limits.elements;
  const auto look = [&](std::string_view text) {
    is_cut = is_cut || text.size() > limits.text_bytes;
  };
  for_each_text(record, look);
  for (const auto& group : record.groups) look(group);
  for (const auto& mask : record.masks) look(mask.rule);
  for (const auto& actor : record.delegation) look(actor.subject), look(actor.issuer);
  return is_cut;
}

/// Halves the texts first, because a shortened text still says something, and
/// then the lists. Ends: with nothing left only the fixed part remains.
Limits limits_for(const Record& record, std::size_t bytes_max) noexcept {
  Limits limits;
  if (bytes_within(record, limits) <= bytes_max) return limits;
  constexpr std::size_t shortest_useful_text = 32;
  limits = {bytes_max,
            std::max({record.groups.size(), record.masks.size(), record.delegation.size()})};
  while (bytes_within(record, limits) > bytes_max) {
    if (limits.text_bytes > shortest_useful_text || limits.elements == 0)
      limits.text_bytes /= 2;
    else
      limits.elements /= 2;
  }
  return limits;
}

/// Writes members in ascending key order and counts them, for the map's head.
class MapWriter {
 public:
  MapWriter(std::uint8_t* out, const Limits& limits) noexcept : out_(out), limits_(limits) {}

  void number(Key key, std::uint64_t value) noexcept {
    begin(key);
    out_.unsigned_integer(value);
  }
  void number_if(Key key, std::uint64_t value) noexcept {
    if (value != 0) number(key, value);
  }
  void bytes(Key key, ByteView value) noexcept {
    begin(key);
    out_.bytes(value);
  }
  void text_if(Key key, std::string_view value) noexcept {
    if (value.empty()) return;
    begin(key);
    text(value);
  }
  void groups(std::span<const std::string_view> groups) noexcept {
    if (groups.empty()) return;
    const auto kept = within(groups, limits_);
    begin(Key::groups);
    out_.array(kept.size());
    for (const auto& group : kept) text(group);
  }
  void masks(std::span<const MaskCount> masks) noexcept {
    if (masks.empty()) return;
    const auto kept = within(masks, limits_);
    begin(Key::masks);
    out_.array(kept.size());
    for (const auto& mask : kept) {
      out_.array(2);
      text(mask.rule);
      out_.unsigned_integer(mask.count);
    }
  }
  void delegation(std::span<const Actor> actors) noexcept {
    if (actors.empty()) return;
    const auto kept = within(actors, limits_);
    begin(Key::delegation);
    out_.array(kept.size());
    for (const auto& actor : kept) {
      out_.array(2);
      text(actor.subject);
      text(actor.issuer);
    }
  }
  void flag_if(Key key, bool is_set) noexcept {
    if (!is_set) return;
    begin(key);
    out_.boolean_true();
  }

  [[nodiscard]] std::uint64_t members() const noexcept { return members_; }
  [[nodiscard]] std::uint8_t* end() const noexcept { return out_.at(); }

 private:
  void begin(Key key) noexcept {
    out_.unsigned_integer(static_cast<std::uint64_t>(key));
    ++members_;
  }
  /// What is not UTF-8 is kept byte for byte, as a byte string.
  void text(std::string_view value) noexcept {
    if (value.size() > limits_.text_bytes) value = cut_utf8(value, limits_.text_bytes);
    std::uint8_t* const head = out_.at();
    const bool ascii = out_.string(cbor::Major::text, as_bytes(value));
    if (!ascii && !is_utf8(value)) cbor::Writer::retype(head, cbor::Major::bytes);
  }

  cbor::Writer out_;
  const Limits& limits_;
  std::uint64_t members_ = 0;
};

std::uint64_t not_negative(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

std::size_t encoded_bytes_max(const Record& record) noexcept {
  return std::min(bytes_within(record, Limits{}), record_bytes_max);
}

std::size_t encode(const Record& record, const Stamp& stamp, ByteSpan out) noexcept {
  const std::size_t bytes_max = std::min(out.size(), record_bytes_max);
  ASSERT(bytes_max >= fixed_bytes_max);
  ASSERT(record.policy.empty() || record.policy.size() == sizeof(stamp.digest));
  ASSERT(record.binding.empty() || record.binding.size() == sizeof(stamp.digest));
  ASSERT(record.certificate.empty() || record.certificate.size() == sizeof(stamp.digest));
  const Limits limits = limits_for(record, bytes_max);

  // The map's head is two bytes when it has 24 members or more, which is known
  // only at the end: leave two, and close the gap in the usual case.
  constexpr std::size_t head_bytes = 2;
  MapWriter map(out.data() + head_bytes, limits);
  map.number(Key::time, not_negative(record.time.wall.ns));
  map.number(Key::epoch, stamp.epoch);
  map.number(Key::worker, stamp.worker);
  map.number(Key::sequence, stamp.sequence);
  map.bytes(Key::salt, stamp.salt);
  map.number(Key::phase, static_cast<std::uint64_t>(record.phase));
  map.number(Key::monotonic, not_negative(record.time.monotonic.ns));
  map.number_if(Key::session, record.session);
  map.number_if(Key::operation, record.operation);
  map.number_if(Key::configuration, record.configuration);
  map.text_if(Key::subject, record.subject);
  map.text_if(Key::issuer, record.issuer);
  map.text_if(Key::proof, record.proof);
  map.text_if(Key::credential, record.credential_id);
  map.groups(record.groups);
  map.text_if(Key::peer, record.peer);
  map.text_if(Key::listener, record.listener);
  map.text_if(Key::target, record.target);
  map.text_if(Key::protocol, record.protocol);
  map.text_if(Key::verb, record.verb);
  map.text_if(Key::resource, record.resource);
  map.text_if(Key::host, record.host);
  if (record.phase == Phase::intent) {
    map.number(Key::ruling, static_cast<std::uint64_t>(record.ruling));
  }
  map.text_if(Key::rule, record.rule);
  map.text_if(Key::reason, record.reason);
  map.number_if(Key::status, record.status);
  map.text_if(Key::result, record.result);
  map.number_if(Key::bytes_in, record.bytes_in);
  map.number_if(Key::bytes_out, record.bytes_out);
  map.number_if(Key::duration, not_negative(record.duration.ns));
  map.text_if(Key::upstream, record.upstream);
  map.masks(record.masks);
  map.text_if(Key::event, record.event);
  map.text_if(Key::detail, record.detail);
  map.flag_if(Key::cut, cuts(record, limits));
  map.number_if(Key::rows_in, record.rows_in);
  map.number_if(Key::rows_out, record.rows_out);
  if (!record.unmasked.empty()) map.bytes(Key::digest, stamp.digest);
  if (!record.policy.empty()) map.bytes(Key::policy, record.policy);
  map.text_if(Key::upstream_user, record.upstream_user);
  map.number_if(Key::operations, record.operations);
  map.number_if(Key::first_sequence, record.first_sequence);
  map.number_if(Key::last_sequence, record.last_sequence);
  map.text_if(Key::recording, record.recording);
  if (!record.certificate.empty()) map.bytes(Key::certificate, record.certificate);
  map.delegation(record.delegation);
  map.text_if(Key::approval, record.approval);
  if (!record.binding.empty()) map.bytes(Key::binding, record.binding);

  auto body_bytes = static_cast<std::size_t>(map.end() - out.data()) - head_bytes;
  cbor::Writer head(out.data());
  head.map(map.members());
  const auto written = static_cast<std::size_t>(head.at() - out.data());
  if (written < head_bytes) {
    std::memmove(out.data() + written, out.data() + head_bytes, body_bytes);
  }
  return written + body_bytes;
}

}  // namespace sluice::audit
