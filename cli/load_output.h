// What `sluice load` writes while it runs and when it is done, beside the report.
#pragma once

#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "cli/verbs.h"
#include "load/html.h"
#include "load/report.h"

namespace sluice::cli {

/// One line on a terminal that is written over every second.
class LiveLine {
 public:
  /// Writes only when stderr is a terminal and nobody asked for quiet.
  explicit LiveLine(bool is_quiet);
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;
  ~LiveLine() { clear(); }

  void show(const load::Second& second);
  void clear();

 private:
  bool is_on_;
  bool is_shown_ = false;
};

/// The interval log, kept in memory until the run is over: a disk that stalls
/// must not stall the thread that drains the workers.
class IntervalLog {
 public:
  explicit IntervalLog(WallTime began);
  void add(const load::Second& second, const load::LatencyHistogram& latency);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

Result<void> write_text(const std::string& path, const std::string& text);

/// What the page says about how it was made.
load::Parameters parameters_of(const LoadOptions& options);

}  // namespace sluice::cli
