// When a delivery is tried again, and when no more. Pure.
#pragma once

#include <cstdint>

#include "base/instant.h"

namespace sluice::control {

enum class DeliveryResult : std::uint8_t {
  delivered,
  try_again,  ///< Nobody answered, or the other side says that it cannot now.
  refused,    ///< The same would be refused again.
};

/// Of an answer with this status.
DeliveryResult result_of(int status) noexcept;

/// How long nothing is tried behind the failed attempt of this number: 1 s, then twice as
/// long each time, at most 5 minutes; more where the other side asked for it, at most an hour.
/// chance  from 0 to 1: a tenth is added or taken by it, so that many do not come at once.
Duration pause_after(std::uint32_t attempt, Duration asked_for, double chance) noexcept;

/// Whether what is not to be tried before `next` may be tried. What is further off than any pause
/// is due: the clock was set back meanwhile.
bool is_due(WallTime next, WallTime now) noexcept;

}  // namespace sluice::control
