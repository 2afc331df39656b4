// What the admin interface shows of a running gateway.
#include "cli/describe_words.h"
#include "cli/service.h"
#include "cli/times.h"
#include "config/load/quantity.h"

namespace sluice::cli {
namespace {

control::TlsView view_of(const dataplane::TlsMetrics& metrics) {
  control::TlsView view;
  view.handshaking = metrics.handshaking.read();
  view.done_tls12 = metrics.done_tls12.read();
  view.done_tls13 = metrics.done_tls13.read();
  view.resumed = metrics.resumed.read();
  view.kernel = metrics.kernel.read();
  view.kernel_received = metrics.kernel_received.read();
  view.kernel_missed = metrics.kernel_missed.read();
  view.broken = metrics.broken.read();
  for (std::size_t i = 1; i < metrics.failed.size(); ++i) {
    const auto fault = static_cast<dataplane::TlsFault>(i);
    if (is_of_handshake(fault)) view.failed.emplace_back(text(fault), metrics.failed[i].read());
  }
  return view;
}

control::WorkerView view_of(const dataplane::Gateway::WorkerView& worker) {
  const auto& metrics = worker.metrics;
  control::WorkerView view;
  view.clients_accepted = metrics.clients_accepted.read();
  view.clients_open = metrics.clients_open.read();
  view.clients_refused = worker.transport.refused.read();
  view.introductions_refused = metrics.introductions_refused.read();
  view.upstreams_opened = metrics.upstreams_opened.read();
  view.upstreams_open = metrics.upstreams_open.read();
  view.requests_allowed = metrics.requests_allowed.read();
  view.requests_denied = metrics.requests_denied.read();
  view.requests_unauthenticated = metrics.requests_unauthenticated.read();
  view.proofs_unseen = metrics.proofs_unseen.read();
  view.requests_malformed = metrics.requests_malformed.read();
  for (std::size_t i = 0; i < view.tokens_refused.size(); ++i) {
    view.tokens_refused[i] = metrics.tokens_refused[i].read();
  }
  for (std::size_t i = 0; i < view.certificates_refused.size(); ++i) {
    view.certificates_refused[i] = metrics.certificates_refused[i].read();
  }
  view.requests_unavailable = metrics.requests_unavailable.read();
  for (std::size_t i = 0; i < view.responses.size(); ++i) {
    view.responses[i] = metrics.responses[i].read();
  }
  view.masks_applied = metrics.masks_applied.read();
  view.bytes_in = metrics.bytes_in.read();
  view.bytes_out = metrics.bytes_out.read();
  view.bytes_spliced = worker.transport.spliced_bytes.read();
  view.upstream_retries = metrics.upstream_retries.read();
  view.log_stalls = metrics.log_stalls.read();
  view.buffers_free = metrics.buffers_free.read();
  view.tls_clients = view_of(metrics.tls_clients);
  view.tls_targets = view_of(metrics.tls_targets);
  return view;
}

}  // namespace

std::vector<control::ListenerView> Service::listeners() const {
  const auto snapshot = gateway_->snapshot();
  std::vector<control::ListenerView> out;
  for (std::size_t i = 0; i < snapshot->listeners.size(); ++i) {
    const auto& listener = snapshot->listeners[i].settings;
    out.push_back({.name = listener.name,
                   .address = gateway_->addresses()[i],
                   .target = listener.target,
                   .protocol = std::string(text(listener.protocol)),
                   .has_tls = listener.tls.has_value()});
  }
  return out;
}

control::GatewayView Service::view() const {
  control::GatewayView view;
  const auto snapshot = gateway_->snapshot();
  view.version = SLUICE_VERSION;
  view.state = draining_ ? "draining" : "running";
  view.configuration = snapshot->generation;
  view.started = started_;
  view.uptime = wall_now() - started_;
  view.api_keys = snapshot->keys->size();
  view.has_kernel_tls = gateway_->kernel_tls().is_there();
  view.has_kernel_tls_receive = gateway_->kernel_tls().opens_any();
  view.log = gateway_->log_status();
  view.retention = retention_.status();
  view.tokens = token_mint_.counts();
  view.listeners = listeners();
  if (const auto& listen = snapshot->settings.admin.listen) {
    view.control_api = config::address_text(listen->address);
  }
  for (std::size_t i = 0; i < gateway_->workers(); ++i) {
    view.workers.push_back(view_of(gateway_->worker(i)));
  }
  for (const auto& target : snapshot->targets) {
    auto latency = std::make_unique<control::LatencyView>();
    latency->target = target.settings.name;
    for (std::size_t i = 0; i < gateway_->workers(); ++i) {
      gateway_->worker(i).metrics.latencies.add_to(latency->ns, latency->target);
    }
    view.latencies.push_back(std::move(latency));
  }

  dataplane::Denials::Counts denials;
  for (std::size_t i = 0; i < gateway_->workers(); ++i) {
    gateway_->worker(i).metrics.denials.add_to(denials);
  }
  for (const auto& [pair, count] : denials) {
    view.denials.push_back({pair.first, pair.second, count});
  }
  for (const auto& exporter : exporters_) {
    const exports::ExportStatus status = exporter->status();
    view.exports.push_back({status.name, status.next, status.failures, status.last_error,
                            status.has_stopped, status.lag});
  }

  if (const auto recordings = gateway_->recordings()) {
    const auto removal = recordings_retention_->status();
    view.recordings = {.chunks = recordings->chunks,
                       .bytes = recordings->bytes,
                       .open = recordings->open,
                       .total_bytes = recordings->total_bytes,
                       .backlog_bytes = recordings->backlog_bytes,
                       .failures = recordings->failures,
                       .takes = recordings->takes,
                       .removed = removal.removed,
                       .removal_failures = removal.failures,
                       .held = removal.held};
  }
  view.issuers = key_keeper_->view();
  view.introspection = introspector_->counts();
  view.approvals = desk_->counts();
  view.notifications = notifier_->counts();
  view.saml = saml_pages_->counts();
  const std::lock_guard lock(reloading_);
  view.reloads = reloads_;
  view.reload_failures = reload_failures_;
  view.last_reload_error = last_reload_error_;
  return view;
}

}  // namespace sluice::cli
