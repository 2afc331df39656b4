#include "dataplane/session/snapshot_tls.h"

#include "dataplane/tls/tls_plan.h"

namespace sluice::dataplane {
namespace {

/// What its listeners speak with it: they all speak the same.
config::Protocol protocol_of(const config::Settings& settings, const config::Target& target) {
  for (const config::Listener& listener : settings.listeners) {
    if (listener.target == target.name) return listener.protocol;
  }
  return config::Protocol::http;  // nobody speaks with it
}

}  // namespace

Result<void> plan_tls(Snapshot& snapshot) {
  std::shared_ptr<const ClientTrust> clients;
  if (const auto& mtls = snapshot.settings.identity.mtls) {
    auto trust = ClientTrust::read(*mtls);
    if (!trust) return tl::unexpected(trust.error());
    clients = std::move(*trust);
  }
  for (std::size_t i = 0; i < snapshot.listeners.size(); ++i) {
    const config::Listener& listener = snapshot.settings.listeners[i];
    if (!listener.tls) continue;
    auto plan = plan_tls(*listener.tls, listener.protocol, clients);
    if (!plan) return tl::unexpected(plan.error());
    snapshot.listeners[i].tls = std::move(*plan);
  }
  if (const auto& listen = snapshot.settings.admin.listen) {
    config::ListenerTls tls;
    tls.certificate = listen->certificate;
    tls.key = listen->key;
    auto plan = plan_tls(tls, config::Protocol::http);
    if (!plan) return tl::unexpected(plan.error());
    snapshot.admin_tls = std::move(*plan);
  }
  for (std::size_t i = 0; i < snapshot.targets.size(); ++i) {
    const config::Target& target = snapshot.settings.targets[i];
    if (!target.tls) continue;
    auto plan = plan_tls(*target.tls, target.addresses, protocol_of(snapshot.settings, target));
    if (!plan) return tl::unexpected(plan.error());
    snapshot.targets[i].tls = std::move(*plan);
  }
  return {};
}

}  // namespace sluice::dataplane
