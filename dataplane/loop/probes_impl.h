// Whether a target's addresses are well.
#pragma once

#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

template <Transport T>
void Loop<T>::on_probe_bytes(Connection& probe, const Completion& completion) {
  const ByteView bytes{context_.pool.data(completion.buffer), completion.size_bytes};
  const auto verdict = probe.probe->on_bytes(bytes, context_.fields);
  context_.pool.release(completion.buffer);
  if (verdict) end_probe(probe, *verdict);
}

template <Transport T>
void Loop<T>::end_probe(Connection& probe, bool ok) {
  // Probes begin with a view that is current; its pool outlives them (retire_views).
  for (const auto& target : context_.current->snapshot().targets) {
    if (target.settings.name != probe.pool->target_name()) continue;
    probe.pool->probed(probe.address, ok, target.settings.health, context_.now.monotonic);
  }
  close(probe);
}

template <Transport T>
void Loop<T>::check_health() {
  const Instant now = context_.now.monotonic;
  const auto& targets = context_.current->snapshot().targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const config::HealthCheck& health = targets[i].settings.health;
    if (health.path.empty()) continue;
    UpstreamPool& pool = context_.current->pool(i);
    for (std::size_t k = 0; k < pool.size(); ++k) {
      if (now < pool.address(k).next_check) continue;
      pool.address(k).next_check = now + health.interval;
      const ConnId id = transport_.connect(pool.address(k).endpoint);
      if (id.index >= connections_.size()) return;
      Connection& probe = open(id, Role::probe);
      probe.pool = &pool;
      probe.address = k;
      probe.connecting = true;
      probe.deadline = now + health.timeout;
      probe.probe = std::make_unique<HealthProbe>(health.path, pool.address(k).text);
    }
  }
}

}  // namespace sluice::dataplane
