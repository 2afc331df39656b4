// The token that a tunnel shows, whenever it needs one.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"

namespace sluice::cli::tunnel {

/// Asks for it each time, from one thread at a time; but not again for some seconds after that has
/// failed, as a renewal asks the provider.
class CurrentToken {
 public:
  using Clock = std::chrono::steady_clock;
  explicit CurrentToken(std::function<Result<std::string>()> ask,
                        std::function<Clock::time_point()> now = Clock::now)
      : ask_(std::move(ask)), now_(std::move(now)) {}

  [[nodiscard]] Result<std::string> get();

 private:
  std::function<Result<std::string>()> ask_;
  std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::optional<Error> failure_;
  Clock::time_point ask_from_;
};

}  // namespace sluice::cli::tunnel
