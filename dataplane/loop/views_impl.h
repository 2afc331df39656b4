// The configurations that operations are judged by.
#pragma once

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

template <Transport T>
void Loop<T>::adopt(std::shared_ptr<const Snapshot> snapshot) {
  context_.make_room_for(*snapshot);
  std::vector<std::string_view> names;
  for (const TargetPlan& target : snapshot->targets) names.push_back(target.settings.name);
  auto latencies = context_.metrics.latencies.adopt(names);
  std::vector<TargetUse> targets;
  for (std::size_t i = 0; i < snapshot->targets.size(); ++i) {
    targets.push_back({&pool_for(snapshot->targets[i]), std::move(latencies[i])});
  }
  views_.push_back(std::make_unique<SnapshotView>(std::move(snapshot), std::move(targets)));
  context_.current = views_.back().get();
  retire_views();
}

template <Transport T>
UpstreamPool& Loop<T>::pool_for(const TargetPlan& target) {
  const auto known = std::ranges::find_if(pools_, [&target](const auto& pool) {
    return pool->serves(target.settings.name, target.endpoint_texts);
  });
  if (known != pools_.end()) return **known;
  pools_.push_back(std::make_unique<UpstreamPool>(target.settings.name, target.endpoints,
                                                  target.endpoint_texts));
  return *pools_.back();
}

/// Forgets snapshots that no operation uses any more.
template <Transport T>
void Loop<T>::retire_views() {
  std::erase_if(views_, [this](const auto& view) {
    if (view.get() == context_.current || view->operations != 0) return false;
    context_.statements.forget(*view);
    const identity::ApiKeys* const keys = view->snapshot().keys.get();
    if (keys != context_.current->snapshot().keys.get()) context_.proofs.forget(keys);
    return true;
  });
}

}  // namespace sluice::dataplane
