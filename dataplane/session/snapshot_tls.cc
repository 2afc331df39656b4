#include "dataplane/session/snapshot_tls.h"

#include "dataplane/tls/tls_plan.h"

namespace sluice::dataplane {

Result<void> plan_tls(Snapshot& snapshot) {
  for (std::size_t i = 0; i < snapshot.listeners.size(); ++i) {
    const config::Listener& listener = snapshot.settings.listeners[i];
    if (!listener.tls) continue;
    auto plan = plan_tls(*listener.tls);
    if (!plan) return tl::unexpected(plan.error());
    snapshot.listeners[i].tls = std::move(*plan);
  }
  for (std::size_t i = 0; i < snapshot.targets.size(); ++i) {
    const config::Target& target = snapshot.settings.targets[i];
    if (!target.tls) continue;
    auto plan = plan_tls(*target.tls, target.addresses);
    if (!plan) return tl::unexpected(plan.error());
    snapshot.targets[i].tls = std::move(*plan);
  }
  return {};
}

}  // namespace sluice::dataplane
