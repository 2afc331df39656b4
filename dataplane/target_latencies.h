// How long the requests to each target took, as one worker measured them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.h"

namespace sluice::dataplane {

/// Finds a target's histogram by name, across reloads. The lock guards finding
/// only: the worker records, without it, into what it found when it adopted the
/// snapshot.
///
/// units    nanoseconds, from a request's head to the last byte of its response.
class TargetLatencies {
 public:
  /// One histogram for each of these targets, in their order. A target that was
  /// there keeps what was measured; one that is no longer named is forgotten
  /// (operations that still go to it may go on recording). Allocates.
  [[nodiscard]] std::vector<std::shared_ptr<Histogram>> adopt(
      std::span<const std::string_view> targets);

  /// Adds what was measured for one target, if there is such a target. Any thread.
  void add_to(Histogram& sum, std::string_view target) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Histogram>, std::less<>> by_target_;
};

}  // namespace sluice::dataplane
