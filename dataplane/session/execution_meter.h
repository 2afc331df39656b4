// What one execution has brought its client so far, and how much it may.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/model/policy.h"

namespace sluice::dataplane {

struct Brought {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

class ExecutionMeter {
 public:
  /// An execution was ended before its end.
  struct Cut {
    std::string_view rule;  ///< Lives with its policy.
    std::string reason;
  };

  ExecutionMeter() = default;
  /// portal  what executions of the same portal brought before, and are to add to.
  ExecutionMeter(config::Bound rows, config::Bound bytes, std::shared_ptr<Brought> portal)
      : rows_(rows), bytes_(bytes), portal_(std::move(portal)) {
    if (portal_ != nullptr) before_ = tally_ = *portal_;
  }

  [[nodiscard]] bool is_limited() const noexcept {
    return rows_.max != UINT64_MAX || bytes_.max != UINT64_MAX;
  }
  /// Whether the client may have one more row of this size.
  [[nodiscard]] bool admits(std::uint64_t row_bytes) const noexcept {
    return tally_.rows < rows_.max && row_bytes <= bytes_.max - tally_.bytes;
  }
  /// A row that was admitted, or of an execution that is not limited.
  void count(std::uint64_t row_bytes) noexcept {
    ++tally_.rows;
    tally_.bytes += row_bytes;
    if (portal_ != nullptr) *portal_ = tally_;
  }
  /// What this execution brought.
  [[nodiscard]] Brought brought() const noexcept {
    return {tally_.rows - before_.rows, tally_.bytes - before_.bytes};
  }

  /// A row was not admitted: no more come.
  const Cut& cut();
  [[nodiscard]] const std::optional<Cut>& is_cut() const noexcept { return cut_; }

 private:
  config::Bound rows_;
  config::Bound bytes_;
  Brought tally_;
  Brought before_;
  std::shared_ptr<Brought> portal_;
  std::optional<Cut> cut_;
};

}  // namespace sluice::dataplane
