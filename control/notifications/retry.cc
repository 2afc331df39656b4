#include "control/notifications/retry.h"

#include <algorithm>

namespace sluice::control {
namespace {

constexpr Duration pause_max = seconds(300);
constexpr Duration asked_max = seconds(3'600);
constexpr std::uint32_t doublings_max = 16;

}  // namespace

DeliveryResult result_of(int status) noexcept {
  if (status >= 200 && status < 300) return DeliveryResult::delivered;
  // RFC 9110 §15.5.9, RFC 6585 §4: these ask to come again.
  if (status == 408 || status == 429) return DeliveryResult::try_again;
  // What redirects is not followed: the URL is what was configured.
  if (status >= 300 && status < 500) return DeliveryResult::refused;
  return DeliveryResult::try_again;
}

Duration pause_after(std::uint32_t attempt, Duration asked_for, double chance) noexcept {
  const std::uint32_t doublings = std::min(attempt == 0 ? 0 : attempt - 1, doublings_max);
  const Duration pause = std::min(Duration{seconds(1).ns << doublings}, pause_max);
  const double spread = 0.9 + 0.2 * chance;
  const Duration spread_pause{static_cast<std::int64_t>(static_cast<double>(pause.ns) * spread)};
  return std::max(spread_pause, std::min(asked_for, asked_max));
}

bool is_due(WallTime next, WallTime now) noexcept {
  return next <= now || next > now + asked_max;
}

}  // namespace sluice::control
