// Writes metrics in the Prometheus text format.
//
// source   Prometheus, "Exposition formats", text-based format 0.0.4.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/histogram.h"

namespace sluice::control {

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::span<const Label>;

/// Families one after the other: a family's HELP and TYPE, then its samples.
class Exposition {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  enum class Type : std::uint8_t { counter, gauge, histogram };

  /// Samples that follow belong to this family, until the next one.
  void family(std::string_view name, Type type, std::string_view help);
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  /// Cumulative buckets in seconds, then sum and count, of latencies in nanoseconds.
  void histogram(Labels labels, const Histogram& nanoseconds);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void line(std::string_view suffix, Labels labels, Label extra, std::string_view value);

  std::string text_;
  std::string name_;
};

}  // namespace sluice::control
