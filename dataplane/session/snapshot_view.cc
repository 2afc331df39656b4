#include "dataplane/session/snapshot_view.h"

namespace sluice::dataplane {

SnapshotView::SnapshotView(std::shared_ptr<const Snapshot> snapshot, std::vector<TargetUse> targets)
    : snapshot_(std::move(snapshot)),
      targets_(std::move(targets)),
      views_(snapshot_->listeners.size()) {
  for (auto& views : views_) views.by_key.resize(snapshot_->keys->size());
}

const std::shared_ptr<const config::PrincipalView>& SnapshotView::principal(std::size_t listener,
                                                                            std::size_t key) {
  auto& view = views_[listener].by_key[key];
  if (!view) {
    view = std::make_shared<const config::PrincipalView>(
        snapshot_->listeners[listener].policy.view_of(snapshot_->keys->principal(key)));
  }
  return view;
}

const config::PrincipalView& SnapshotView::anonymous(std::size_t listener) {
  auto& view = views_[listener].anonymous;
  if (!view) {
    view = std::make_unique<const config::PrincipalView>(
        snapshot_->listeners[listener].policy.view_of(config::Principal{}));
  }
  return *view;
}

}  // namespace sluice::dataplane
