// The configurations that operations are judged by.
#pragma once

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// What was planned was tried, too: here it works.
template <class Plan, class... More>
std::shared_ptr<const TlsContext> tls_of(const std::shared_ptr<const Plan>& plan,
                                         const More&... more) {
  if (!plan) return nullptr;
  auto made = TlsContext::make(plan, more...);
  ASSERT(made.has_value());
  return std::move(*made);
}

template <Transport T>
void Loop<T>::adopt(std::shared_ptr<const Snapshot> snapshot) {
  context_.make_room_for(*snapshot);
  adopt_certificates(*snapshot);
  std::vector<std::string_view> names;
  for (const TargetPlan& target : snapshot->targets) names.push_back(target.settings.name);
  auto latencies = context_.metrics.latencies.adopt(names);
  std::vector<TargetUse> targets;
  for (std::size_t i = 0; i < snapshot->targets.size(); ++i) {
    targets.push_back({&pool_for(snapshot->targets[i]), std::move(latencies[i])});
  }
  views_.push_back(std::make_unique<SnapshotView>(std::move(snapshot), std::move(targets)));
  context_.current = views_.back().get();
  for (const std::uint32_t index : live_) {  // who waits for people does so under the old rules
    if (connections_[index].role == Role::client) connections_[index].deadline = {};
  }
  retire_views();
}

/// For who arrives from now on.
template <Transport T>
void Loop<T>::adopt_certificates(const Snapshot& snapshot) {
  listener_tls_.resize(snapshot.listeners.size());
  for (std::size_t i = 0; i < snapshot.listeners.size(); ++i) {
    const auto& plan = snapshot.listeners[i].tls;
    const auto& now = listener_tls_[i];
    // With the same certificates clients may go on using the tickets that they have.
    if (plan && now && now->server()->digest == plan->digest) continue;
    listener_tls_[i] = tls_of(plan, ticket_keys_);
  }
}

template <Transport T>
UpstreamPool& Loop<T>::pool_for(const TargetPlan& target) {
  const auto known = std::ranges::find_if(pools_, [&target](const auto& pool) {
    return pool->serves(target.settings.name, target.endpoint_texts, target.tls.get(),
                        target.settings.proxy_protocol);
  });
  UpstreamPool* pool = known == pools_.end() ? nullptr : known->get();
  if (pool == nullptr) {
    pools_.push_back(std::make_unique<UpstreamPool>(target.settings.name, target.endpoints,
                                                    target.endpoint_texts,
                                                    target.settings.proxy_protocol));
    pool = pools_.back().get();
  }
  // The same rules as before, perhaps with the system's authorities as they are now.
  const bool is_known = pool->tls() != nullptr && pool->tls()->client() == target.tls.get();
  if (target.tls && !is_known) pool->set_tls(tls_of(target.tls));
  return *pool;
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
