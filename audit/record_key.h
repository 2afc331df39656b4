// The integer keys of a record's map. Once released a number keeps its meaning
// for ever: logs outlive the program. docs/audit_log.cddl repeats this list.
#pragma once

#include <cstdint>

namespace sluice::audit {

enum class Key : std::uint8_t {
  time = 1,
  epoch = 2,
  worker = 3,
  sequence = 4,
  salt = 5,
  phase = 6,
  monotonic = 7,
  session = 8,
  operation = 9,
  configuration = 10,
  subject = 11,
  issuer = 12,
  proof = 13,
  credential = 14,
  groups = 15,
  peer = 16,
  listener = 17,
  target = 18,
  protocol = 19,
  verb = 20,
  resource = 21,
  host = 22,
  ruling = 23,
  rule = 24,
  reason = 25,
  status = 26,
  result = 27,
  bytes_in = 28,
  bytes_out = 29,
  duration = 30,
  upstream = 31,
  masks = 32,
  event = 33,
  detail = 34,
  cut = 35,
  rows_in = 36,
  rows_out = 37,
  digest = 38,
  policy = 39,
  upstream_user = 40,
  operations = 41,
  first_sequence = 42,
  last_sequence = 43,
  recording = 44,
  certificate = 45,
  delegation = 46,
  approval = 47,
  binding = 48,
};

inline constexpr std::uint8_t last_key = static_cast<std::uint8_t>(Key::binding);

}  // namespace sluice::audit
