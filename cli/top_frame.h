// What `sluice top` shows, as values: the difference of two looks at a gateway's metrics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "cli/exposition_reader.h"

namespace sluice::cli {

/// One look: counters since the gateway's start, and levels.
struct Figures {
  /// Operations on one target that took at most so many seconds, by that bound.
  using Buckets = std::map<double, double>;

  double started_s = 0;  ///< Unix time; another one is another gateway.
  double configuration = 0;
  bool is_draining = false;
  bool has_log_failed = false;
  double clients = 0;
  double upstreams = 0;
  double holds = 0;
  double bytes_in = 0;
  double bytes_out = 0;
  double masked = 0;
  double records = 0;
  std::map<std::string, double> rulings;                          ///< "allowed", "denied", …
  std::map<std::string, double> held;                             ///< By what became of them.
  std::map<std::string, Buckets> latencies;                       ///< By target.
  std::map<std::pair<std::string, std::string>, double> denials;  ///< By target and rule.
};
Figures figures_of(const std::vector<Sample>& samples);

struct TargetRow {
  std::string target;
  double per_second = 0;
  double p50_s = 0;  ///< Of this interval, as are all; 0 without operations.
  double p99_s = 0;
};

struct DenialRow {
  std::string target;
  std::string rule;
  double per_second = 0;
  double total = 0;  ///< Since the gateway's start.
};

/// One interval.
struct TopFrame {
  Figures now;
  double seconds = 0;
  std::map<std::string, double> rulings;  ///< Per second.
  std::map<std::string, double> held;     ///< How many in the interval.
  double bytes_in = 0;                    ///< Per second, as are the next three.
  double bytes_out = 0;
  double masked = 0;
  double records = 0;
  std::vector<TargetRow> targets;  ///< By name.
  std::vector<DenialRow> denials;  ///< The most frequent first.
};

/// A gateway that was restarted in between counts from nothing.
TopFrame frame_of(const Figures& before, const Figures& now, Duration between);

/// For a terminal of so many columns and rows; no line is longer, and there are no more.
/// time     of the day, UTC.
/// colors   marks what deserves a look by ANSI's colours.
std::string top_text(const TopFrame& frame, WallTime time, std::size_t columns, std::size_t rows,
                     bool colors);
/// One line.
std::string top_json(const TopFrame& frame, WallTime time);

}  // namespace sluice::cli
