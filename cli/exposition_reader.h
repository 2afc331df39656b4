// Reads what /metrics says: Prometheus' text format, as the gateway writes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::cli {

/// One line: `sluice_holds_total{result="approved"} 7`.
struct Sample {
  std::string name;
  std::map<std::string, std::string, std::less<>> labels;
  double value = 0;

  /// Empty where it has no such label.
  [[nodiscard]] std::string_view label(std::string_view name) const;
};

/// A number as the format writes it, infinity among them.
std::optional<double> sample_value(std::string_view text);

/// All samples, in their order.
/// errors   a line that is neither a comment nor a sample, by its number.
/// source   Prometheus, "Exposition formats", text-based format 0.0.4, without timestamps.
Result<std::vector<Sample>> read_exposition(std::string_view text);

}  // namespace sluice::cli
