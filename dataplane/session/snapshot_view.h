// A snapshot as one worker uses it: the targets as it reaches and times them, and
// the principals it met.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/histogram.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/upstream/pool.h"

namespace sluice::dataplane {

/// A target as one worker reaches and times it.
struct TargetUse {
  UpstreamPool* pool = nullptr;
  std::shared_ptr<Histogram> latency_ns;
};

/// One snapshot as one worker uses it. Kept while an operation that began under
/// it is still going on.
class SnapshotView {
 public:
  /// targets  in the order of Snapshot::targets.
  SnapshotView(std::shared_ptr<const Snapshot> snapshot, std::vector<TargetUse> targets);

  [[nodiscard]] const Snapshot& snapshot() const noexcept { return *snapshot_; }
  [[nodiscard]] UpstreamPool& pool(std::size_t target) noexcept { return *targets_[target].pool; }
  [[nodiscard]] Histogram& latency_ns(std::size_t target) noexcept {
    return *targets_[target].latency_ns;
  }

  /// What one API key's principal may do on one listener; worked out on first use.
  [[nodiscard]] const std::shared_ptr<const config::PrincipalView>& principal(std::size_t listener,
                                                                              std::size_t key);
  [[nodiscard]] const config::PrincipalView& anonymous(std::size_t listener);

  std::uint32_t operations = 0;  ///< Begun and not over.

 private:
  struct ListenerViews {
    std::vector<std::shared_ptr<const config::PrincipalView>> by_key;
    std::unique_ptr<const config::PrincipalView> anonymous;
  };
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<TargetUse> targets_;
  std::vector<ListenerViews> views_;
};

}  // namespace sluice::dataplane
