// Held operations in numbers, since the start.
#pragma once

#include <cstdint>

namespace sluice::control {

struct ApprovalCounts {
  std::uint64_t waiting = 0;
  std::uint64_t approved = 0;
  std::uint64_t denied = 0;
  std::uint64_t expired = 0;
  std::uint64_t withdrawn = 0;
  std::uint64_t lost = 0;
  std::uint64_t broken = 0;             ///< Run by who broke the glass.
  std::uint64_t unreviewed = 0;         ///< Of these, those that nobody reviewed, of all times.
  std::uint64_t too_many = 0;           ///< Refused by a limit.
  std::uint64_t unavailable = 0;        ///< Refused because they could not be kept.
  std::uint64_t decisions_refused = 0;  ///< Of people who may not decide, or too late.
};

}  // namespace sluice::control
