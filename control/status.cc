// /status: the view as JSON, totals over workers.
#include <fmt/format.h>

#include <iterator>
#include <numeric>

#include "control/gateway_view.h"
#include "control/json_text.h"

namespace sluice::control {
namespace {

std::uint64_t total(const GatewayView& view, std::uint64_t WorkerView::*value) {
  return std::accumulate(
      view.workers.begin(), view.workers.end(), std::uint64_t{0},
      [value](std::uint64_t sum, const WorkerView& worker) { return sum + worker.*value; });
}

struct TlsTotals {
  std::uint64_t handshakes = 0;          ///< That went well.
  std::uint64_t by_kernel = 0;           ///< Of these, connections whose records the kernel makes.
  std::uint64_t received_by_kernel = 0;  ///< Of these, those whose peers' records it opens.
};

TlsTotals tls_totals(const GatewayView& view) {
  TlsTotals totals;
  for (const WorkerView& worker : view.workers) {
    for (const TlsView* side : {&worker.tls_clients, &worker.tls_targets}) {
      totals.handshakes += side->done_tls12 + side->done_tls13;
      totals.by_kernel += side->kernel;
      totals.received_by_kernel += side->kernel_received;
    }
  }
  return totals;
}

double us(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) / 1e3;
}

}  // namespace

std::string status_json(const GatewayView& view) {
  std::string page;
  const auto out = std::back_inserter(page);
  fmt::format_to(out,
                 "{{\"state\":\"{}\",\"version\":{},\"uptime_s\":{:.1f},\"configuration\":{},"
                 "\"reloads\":{},\"reload_failures\":{},\"last_reload_error\":{},\"api_keys\":{},"
                 "\"workers\":{},",
                 view.state, json_text(view.version), static_cast<double>(view.uptime.ns) / 1e9,
                 view.configuration, view.reloads, view.reload_failures,
                 json_text(view.last_reload_error), view.api_keys, view.workers.size());

  fmt::format_to(out, "\"listeners\":[");
  for (std::size_t i = 0; i < view.listeners.size(); ++i) {
    const auto& listener = view.listeners[i];
    fmt::format_to(out, "{}{{\"name\":{},\"address\":{},\"target\":{},\"protocol\":{},\"tls\":{}}}",
                   i == 0 ? "" : ",", json_text(listener.name), json_text(listener.address),
                   json_text(listener.target), json_text(listener.protocol), listener.has_tls);
  }
  fmt::format_to(
      out,
      "],\"control_api\":{},\"connections\":{{\"clients\":{},\"upstreams\":{},\"accepted\":{},"
      "\"refused\":{}}},",
      json_text(view.control_api), total(view, &WorkerView::clients_open),
      total(view, &WorkerView::upstreams_open), total(view, &WorkerView::clients_accepted),
      total(view, &WorkerView::clients_refused));
  fmt::format_to(
      out,
      "\"requests\":{{\"allowed\":{},\"denied\":{},\"unauthenticated\":{},"
      "\"malformed\":{},\"unavailable\":{}}},\"masks_applied\":{},",
      total(view, &WorkerView::requests_allowed), total(view, &WorkerView::requests_denied),
      total(view, &WorkerView::requests_unauthenticated),
      total(view, &WorkerView::requests_malformed), total(view, &WorkerView::requests_unavailable),
      total(view, &WorkerView::masks_applied));

  const TlsTotals tls = tls_totals(view);
  fmt::format_to(out,
                 "\"tls\":{{\"handshakes\":{},\"kernel\":{},\"by_kernel\":{},"
                 "\"kernel_receives\":{},\"received_by_kernel\":{}}},",
                 tls.handshakes, view.has_kernel_tls, tls.by_kernel, view.has_kernel_tls_receive,
                 tls.received_by_kernel);
  fmt::format_to(out, "\"latency_us\":[");
  for (std::size_t i = 0; i < view.latencies.size(); ++i) {
    const auto& latency = *view.latencies[i];
    fmt::format_to(
        out, "{}{{\"target\":{},\"count\":{},\"p50\":{:.1f},\"p99\":{:.1f},\"max\":{:.1f}}}",
        i == 0 ? "" : ",", json_text(latency.target), latency.ns.count(),
        us(latency.ns.quantile(0.5)), us(latency.ns.quantile(0.99)), us(latency.ns.max()));
  }
  fmt::format_to(out,
                 "],\"audit\":{{\"records\":{},\"recovered\":{},\"checkpoints\":{},\"bytes\":{},"
                 "\"failures\":{},\"refused\":{},\"failure\":{}}},",
                 view.log.records, view.log.recovered, view.log.checkpoints, view.log.bytes,
                 view.log.failures, view.log.refusals, json_text(view.log.failure));
  fmt::format_to(out,
                 "\"retention\":{{\"removed_segments\":{},\"removed_records\":{},"
                 "\"failures\":{},\"legal_holds\":{},\"held_segments\":{},"
                 "\"awaited_segments\":{}}},\"exports\":[",
                 view.retention.removed_segments, view.retention.removed_records,
                 view.retention.failures, view.retention.holds, view.retention.held_segments,
                 view.retention.awaited_segments);
  for (std::size_t i = 0; i < view.exports.size(); ++i) {
    const ExportView& one = view.exports[i];
    fmt::format_to(out,
                   "{}{{\"name\":{},\"exported\":{},\"lag_seconds\":{:.1f},\"failures\":{},"
                   "\"last_error\":{},\"stopped\":{}}}",
                   i == 0 ? "" : ",", json_text(one.name), one.exported,
                   static_cast<double>(one.lag.ns) / 1e9, one.failures, json_text(one.last_error),
                   one.has_stopped);
  }
  page += "],";
  if (const auto& recordings = view.recordings) {
    fmt::format_to(out,
                   "\"recordings\":{{\"open\":{},\"chunks\":{},\"bytes\":{},\"total_bytes\":{},"
                   "\"backlog_bytes\":{},\"failures\":{},\"full\":{},\"removed\":{},"
                   "\"removal_failures\":{},\"held\":{}}},",
                   recordings->open, recordings->chunks, recordings->bytes, recordings->total_bytes,
                   recordings->backlog_bytes, recordings->failures, !recordings->takes,
                   recordings->removed, recordings->removal_failures, recordings->held);
  }
  page += "\"issuers\":[";
  for (std::size_t i = 0; i < view.issuers.size(); ++i) {
    const IssuerView& one = view.issuers[i];
    fmt::format_to(out,
                   "{}{{\"name\":{},\"issuer\":{},\"keys\":{},\"skipped\":{},"
                   "\"age_seconds\":{:.1f},\"fetches\":{},\"failures\":{},\"last_error\":{}}}",
                   i == 0 ? "" : ",", json_text(one.name), json_text(one.issuer), one.keys,
                   one.skipped, static_cast<double>(one.age.ns) / 1e9, one.fetches, one.failures,
                   json_text(one.last_error));
  }
  page += "],\"webhooks\":[";
  for (std::size_t i = 0; i < view.notifications.webhooks.size(); ++i) {
    const WebhookCounts& one = view.notifications.webhooks[i];
    fmt::format_to(out,
                   "{}{{\"name\":{},\"pending\":{},\"delivered\":{},\"failures\":{},"
                   "\"given_up\":{},\"last_error\":{}}}",
                   i == 0 ? "" : ",", json_text(one.name), one.pending, one.delivered, one.failures,
                   one.given_up, json_text(one.last_error));
  }
  page += "]}";
  return page;
}

}  // namespace sluice::control
