// A snapshot as one worker uses it: its upstream pools and the principals it met.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/session/snapshot.h"
#include "dataplane/upstream/pool.h"

namespace sluice::dataplane {

/// One snapshot as one worker uses it. Kept while an operation that began under
/// it is still going on.
class SnapshotView {
 public:
  SnapshotView(std::shared_ptr<const Snapshot> snapshot, std::vector<UpstreamPool*> pools);

  [[nodiscard]] const Snapshot& snapshot() const noexcept { return *snapshot_; }
  [[nodiscard]] UpstreamPool& pool(std::size_t target) noexcept { return *pools_[target]; }

  /// What one API key's principal may do on one listener; worked out on first use.
  [[nodiscard]] const config::PrincipalView& principal(std::size_t listener, std::size_t key);
  [[nodiscard]] const config::PrincipalView& anonymous(std::size_t listener);

  std::uint32_t operations = 0;  ///< Begun and not over.

 private:
  struct ListenerViews {
    std::vector<std::unique_ptr<const config::PrincipalView>> by_key;
    std::unique_ptr<const config::PrincipalView> anonymous;
  };
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<UpstreamPool*> pools_;
  std::vector<ListenerViews> views_;
};

}  // namespace sluice::dataplane
