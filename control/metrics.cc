// /metrics: every number of the view as a Prometheus family.
#include <fmt/format.h>

#include "control/exposition.h"
#include "control/gateway_view.h"

namespace sluice::control {
namespace {

using Type = Exposition::Type;

/// A number that each worker counts for itself.
struct WorkerFamily {
  std::string_view name;
  Type type;
  std::string_view help;
  std::uint64_t WorkerView::*value;
};

constexpr std::array<WorkerFamily, 14> worker_families{{
    {"sluice_client_connections_accepted_total", Type::counter, "Client connections accepted.",
     &WorkerView::clients_accepted},
    {"sluice_client_connections_refused_total", Type::counter,
     "Client connections closed at once because the connection table was full.",
     &WorkerView::clients_refused},
    {"sluice_client_connections", Type::gauge, "Client connections open now.",
     &WorkerView::clients_open},
    {"sluice_introductions_refused_total", Type::counter,
     "Connections of proxies that did not begin with a PROXY header in time.",
     &WorkerView::introductions_refused},
    {"sluice_credentials_unseen_total", Type::counter,
     "Credentials that were refused unseen: too many of their source's proved nobody.",
     &WorkerView::proofs_unseen},
    {"sluice_upstream_connections_opened_total", Type::counter, "Connections opened to targets.",
     &WorkerView::upstreams_opened},
    {"sluice_upstream_connections", Type::gauge, "Connections to targets open now, busy and idle.",
     &WorkerView::upstreams_open},
    {"sluice_upstream_retries_total", Type::counter,
     "Requests sent once more because a pooled connection had died.",
     &WorkerView::upstream_retries},
    {"sluice_masks_applied_total", Type::counter, "Values masked.", &WorkerView::masks_applied},
    {"sluice_body_bytes_in_total", Type::counter, "Body bytes received from clients.",
     &WorkerView::bytes_in},
    {"sluice_body_bytes_out_total", Type::counter, "Body bytes released to clients.",
     &WorkerView::bytes_out},
    {"sluice_spliced_bytes_total", Type::counter,
     "Body bytes that no rule looks at, moved from socket to socket by the kernel.",
     &WorkerView::bytes_spliced},
    {"sluice_audit_stalls_total", Type::counter,
     "Times a worker stopped reading because its audit ring was full.", &WorkerView::log_stalls},
    {"sluice_buffers_free", Type::gauge, "Receive buffers free now.", &WorkerView::buffers_free},
}};

/// How a request was ruled, as a label of one family.
struct RulingLabel {
  std::string_view label;
  std::uint64_t WorkerView::*value;
};

constexpr std::array<RulingLabel, 5> rulings{{
    {"allowed", &WorkerView::requests_allowed},
    {"denied", &WorkerView::requests_denied},
    {"unauthenticated", &WorkerView::requests_unauthenticated},
    {"malformed", &WorkerView::requests_malformed},
    {"unavailable", &WorkerView::requests_unavailable},
}};

constexpr std::array<std::string_view, 6> status_classes{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

void add_worker_families(Exposition& page, const GatewayView& view) {
  for (const auto& family : worker_families) {
    page.family(family.name, family.type, family.help);
    for (std::size_t i = 0; i < view.workers.size(); ++i) {
      const std::string worker = fmt::format("{}", i);
      const std::array<Label, 1> labels{{{"worker", worker}}};
      page.sample(labels, view.workers[i].*family.value);
    }
  }
}

void add_requests(Exposition& page, const GatewayView& view) {
  page.family("sluice_requests_total", Type::counter, "Requests, by what became of them.");
  for (std::size_t i = 0; i < view.workers.size(); ++i) {
    const std::string worker = fmt::format("{}", i);
    for (const auto& ruling : rulings) {
      const std::array<Label, 2> labels{{{"worker", worker}, {"ruling", ruling.label}}};
      page.sample(labels, view.workers[i].*ruling.value);
    }
  }
  page.family("sluice_denials_total", Type::counter,
              "Requests and statements that were denied, by target and rule.");
  for (const DenialView& one : view.denials) {
    const std::array<Label, 2> labels{{{"target", one.target}, {"rule", one.rule}}};
    page.sample(labels, one.count);
  }
  page.family("sluice_responses_total", Type::counter, "Responses to clients, by status class.");
  for (std::size_t i = 0; i < view.workers.size(); ++i) {
    const std::string worker = fmt::format("{}", i);
    for (std::size_t k = 0; k < status_classes.size(); ++k) {
      const std::array<Label, 2> labels{{{"worker", worker}, {"status", status_classes[k]}}};
      page.sample(labels, view.workers[i].responses[k]);
    }
  }
}

/// TLS of one worker towards one side.
struct TlsSide {
  std::string worker;
  std::string_view side;
  const TlsView& tls;
};

std::vector<TlsSide> tls_sides(const GatewayView& view) {
  std::vector<TlsSide> sides;
  for (std::size_t i = 0; i < view.workers.size(); ++i) {
    sides.push_back({fmt::format("{}", i), "client", view.workers[i].tls_clients});
    sides.push_back({fmt::format("{}", i), "target", view.workers[i].tls_targets});
  }
  return sides;
}

void add_tls_family(Exposition& page, const std::vector<TlsSide>& sides, std::string_view name,
                    Type type, std::string_view help, std::uint64_t TlsView::*value) {
  page.family(name, type, help);
  for (const TlsSide& one : sides) {
    const std::array<Label, 2> labels{{{"worker", one.worker}, {"side", one.side}}};
    page.sample(labels, one.tls.*value);
  }
}

void add_tls(Exposition& page, const GatewayView& view) {
  const auto sides = tls_sides(view);
  page.family("sluice_tls_handshakes_total", Type::counter,
              "TLS handshakes that are over, by the version agreed on or why they failed.");
  for (const TlsSide& one : sides) {
    const auto add = [&](std::string_view result, std::uint64_t count) {
      const std::array<Label, 3> labels{
          {{"worker", one.worker}, {"side", one.side}, {"result", result}}};
      page.sample(labels, count);
    };
    add("TLSv1.2", one.tls.done_tls12);
    add("TLSv1.3", one.tls.done_tls13);
    for (const auto& [reason, count] : one.tls.failed) add(reason, count);
  }
  add_tls_family(page, sides, "sluice_tls_handshakes", Type::gauge, "TLS handshakes under way.",
                 &TlsView::handshaking);
  add_tls_family(page, sides, "sluice_tls_resumed_total", Type::counter,
                 "TLS handshakes that resumed an earlier session.", &TlsView::resumed);
  add_tls_family(page, sides, "sluice_tls_kernel_total", Type::counter,
                 "TLS connections whose sent records the kernel makes.", &TlsView::kernel);
  add_tls_family(page, sides, "sluice_tls_kernel_received_total", Type::counter,
                 "TLS 1.2 connections whose received records the kernel opens.",
                 &TlsView::kernel_received);
  add_tls_family(page, sides, "sluice_tls_kernel_missed_total", Type::counter,
                 "TLS 1.2 connections whose received records the kernel was to open, and does not.",
                 &TlsView::kernel_missed);
  add_tls_family(page, sides, "sluice_tls_broken_total", Type::counter,
                 "Connections whose TLS failed behind the handshake.", &TlsView::broken);
}

void add_latencies(Exposition& page, const GatewayView& view) {
  page.family("sluice_request_duration_seconds", Type::histogram,
              "From a request's head to the last byte of its response.");
  for (const auto& latency : view.latencies) {
    const std::array<Label, 1> labels{{{"target", latency->target}}};
    page.histogram(labels, latency->ns);
  }
}

void add_audit(Exposition& page, const audit::LogStatus& log) {
  page.family("sluice_audit_records_total", Type::counter, "Records in the audit log's tree.");
  page.sample({}, log.records);
  page.family("sluice_audit_recovered_records", Type::gauge,
              "Records taken over at start from a gateway that was killed.");
  page.sample({}, log.recovered);
  page.family("sluice_audit_checkpoints_total", Type::counter, "Checkpoints signed since start.");
  page.sample({}, log.checkpoints);
  page.family("sluice_audit_written_bytes_total", Type::counter, "Bytes written to segments.");
  page.sample({}, log.bytes);
  page.family("sluice_audit_failed", Type::gauge,
              "1 while the audit log's disk fails and the gateway releases nothing.");
  page.sample({}, std::uint64_t{log.failure.empty() ? 0U : 1U});
  page.family("sluice_audit_failures_total", Type::counter,
              "How often the audit log's disk began to fail.");
  page.sample({}, log.failures);
  page.family("sluice_audit_refused_records_total", Type::counter,
              "Records refused because the disk failed, and with them what they were about.");
  page.sample({}, log.refusals);
}

void add_retention(Exposition& page, const audit::RetentionStatus& retention) {
  page.family("sluice_audit_removed_segments_total", Type::counter,
              "Segments that retention removed.");
  page.sample({}, retention.removed_segments);
  page.family("sluice_audit_removed_records_total", Type::counter, "Records that went with them.");
  page.sample({}, retention.removed_records);
  page.family("sluice_audit_retention_failures_total", Type::counter,
              "Removals that failed; the segment stayed.");
  page.sample({}, retention.failures);
  page.family("sluice_audit_legal_holds", Type::gauge, "Legal holds in force.");
  page.sample({}, retention.holds);
  page.family("sluice_audit_held_segments", Type::gauge,
              "Segments that are too old and stay because of a legal hold.");
  page.sample({}, retention.held_segments);
  page.family("sluice_audit_awaited_segments", Type::gauge,
              "Segments that are too old and stay because an export has not passed them.");
  page.sample({}, retention.awaited_segments);
}

template <class Value>
void add_export_family(Exposition& page, const GatewayView& view, std::string_view name, Type type,
                       std::string_view help, Value value) {
  page.family(name, type, help);
  for (const ExportView& one : view.exports) {
    const std::array<Label, 1> labels{{{"export", one.name}}};
    page.sample(labels, value(one));
  }
}

void add_exports(Exposition& page, const GatewayView& view) {
  if (view.exports.empty()) return;
  add_export_family(page, view, "sluice_export_records", Type::gauge,
                    "Records of the audit log that have arrived.",
                    [](const ExportView& one) { return one.exported; });
  add_export_family(page, view, "sluice_export_pending_records", Type::gauge,
                    "Records of the audit log that have not arrived.",
                    [&view](const ExportView& one) {
                      return view.log.records - std::min(one.exported, view.log.records);
                    });
  add_export_family(page, view, "sluice_export_lag_seconds", Type::gauge,
                    "Age of the oldest record that has not arrived.",
                    [](const ExportView& one) { return static_cast<double>(one.lag.ns) / 1e9; });
  add_export_family(page, view, "sluice_export_stopped", Type::gauge,
                    "1 when the destination refused a batch for good.",
                    [](const ExportView& one) { return std::uint64_t{one.has_stopped}; });
  add_export_family(page, view, "sluice_export_failures_total", Type::counter,
                    "Attempts to export that failed.",
                    [](const ExportView& one) { return one.failures; });
}

void add_issuers(Exposition& page, const GatewayView& view) {
  if (view.issuers.empty()) return;
  const auto add = [&](std::string_view name, Type type, std::string_view help, auto value) {
    page.family(name, type, help);
    for (const IssuerView& issuer : view.issuers) {
      const std::array<Label, 1> labels{{{"issuer", issuer.name}}};
      page.sample(labels, value(issuer));
    }
  };
  add("sluice_issuer_keys", Type::gauge, "Keys of an issuer that can prove tokens.",
      [](const IssuerView& issuer) { return std::uint64_t{issuer.keys}; });
  add("sluice_issuer_keys_age_seconds", Type::gauge, "Since an issuer's keys were last fetched.",
      [](const IssuerView& issuer) { return static_cast<double>(issuer.age.ns) / 1e9; });
  add("sluice_issuer_fetches_total", Type::counter, "Attempts to fetch an issuer's keys.",
      [](const IssuerView& issuer) { return issuer.fetches; });
  add("sluice_issuer_fetch_failures_total", Type::counter, "Those that failed.",
      [](const IssuerView& issuer) { return issuer.failures; });
}

void add_certificates(Exposition& page, const GatewayView& view) {
  page.family("sluice_certificates_refused_total", Type::counter,
              "Client certificates that proved nobody, by why.");
  for (std::size_t i = 1; i < identity::certificate_faults; ++i) {
    std::uint64_t count = 0;
    for (const WorkerView& worker : view.workers) count += worker.certificates_refused[i];
    const std::array<Label, 1> labels{
        {{"reason", name(static_cast<identity::CertificateFault>(i))}}};
    page.sample(labels, count);
  }
}

void add_tokens(Exposition& page, const GatewayView& view) {
  page.family("sluice_tokens_refused_total", Type::counter, "Tokens refused, by why.");
  for (std::size_t i = 1; i < identity::token_faults; ++i) {
    std::uint64_t count = 0;
    for (const WorkerView& worker : view.workers) count += worker.tokens_refused[i];
    const std::array<Label, 1> labels{{{"reason", name(static_cast<identity::TokenFault>(i))}}};
    page.sample(labels, count);
  }
  const auto add_count = [&page](std::string_view name, std::string_view help,
                                 std::uint64_t count) {
    page.family(name, Type::counter, help);
    page.sample({}, count);
  };
  add_count("sluice_introspections_total", "Questions to an issuer about a token.",
            view.introspection.asked);
  add_count("sluice_introspection_failures_total", "Those without an answer that can be read.",
            view.introspection.failed);
  add_count("sluice_introspections_refused_total",
            "Questions that were not asked: too often, or too many waited.",
            view.introspection.unasked);
  add_count("sluice_saml_sign_ins_total", "Sign-ins by SAML.", view.saml.signed_in);
  page.family("sluice_saml_responses_refused_total", Type::counter,
              "Responses of SAML refused, by why.");
  for (std::size_t i = 1; i < view.saml.refused.size(); ++i) {
    const std::array<Label, 1> labels{{{"reason", name(static_cast<saml::Fault>(i))}}};
    page.sample(labels, view.saml.refused[i]);
  }
  add_count("sluice_gateway_tokens_minted_total", "Tokens that the gateway made.",
            view.tokens.minted);
  add_count("sluice_gateway_tokens_not_minted_total", "Those that it refused to make.",
            view.tokens.refused);
  add_count("sluice_gateway_tokens_revoked_total", "Those that were taken back.",
            view.tokens.revoked);
}

void add_recordings(Exposition& page, const std::optional<RecordingsView>& recordings) {
  if (!recordings) return;
  page.family("sluice_recordings_chunks_total", Type::counter, "Chunks of recordings written.");
  page.sample({}, recordings->chunks);
  page.family("sluice_recordings_written_bytes_total", Type::counter, "Their encrypted bytes.");
  page.sample({}, recordings->bytes);
  page.family("sluice_recordings_open", Type::gauge, "Sessions that are being recorded.");
  page.sample({}, recordings->open);
  page.family("sluice_recordings_bytes", Type::gauge, "What all recordings take.");
  page.sample({}, recordings->total_bytes);
  page.family("sluice_recordings_backlog_bytes", Type::gauge,
              "Bytes that workers handed over and that are in no chunk yet.");
  page.sample({}, recordings->backlog_bytes);
  page.family("sluice_recordings_failures_total", Type::counter,
              "Attempts to write a chunk that failed, and times that max_bytes was reached.");
  page.sample({}, recordings->failures);
  page.family("sluice_recordings_full", Type::gauge,
              "1 while nothing more is recorded: on_full says what becomes of operations.");
  page.sample({}, std::uint64_t{recordings->takes ? 0U : 1U});
  page.family("sluice_recordings_removed_total", Type::counter,
              "Recordings removed, by age or by somebody.");
  page.sample({}, recordings->removed);
  page.family("sluice_recordings_removal_failures_total", Type::counter,
              "Recordings that were too old and could not be removed.");
  page.sample({}, recordings->removal_failures);
  page.family("sluice_recordings_held", Type::gauge,
              "Recordings that are too old and stay because of a legal hold.");
  page.sample({}, recordings->held);
}

void add_gateway(Exposition& page, const GatewayView& view) {
  page.family("sluice_build_info", Type::gauge, "Always 1; the version is a label.");
  const std::array<Label, 1> version{{{"version", view.version}}};
  page.sample(version, std::uint64_t{1});
  page.family("sluice_start_time_seconds", Type::gauge, "When the gateway started, in Unix time.");
  const std::int64_t started_ms = view.started.ns / 1'000'000;
  page.sample({}, static_cast<double>(started_ms) / 1e3);
  page.family("sluice_draining", Type::gauge, "1 while the gateway takes nothing new.");
  page.sample({}, std::uint64_t{view.state == "running" ? 0U : 1U});
  page.family("sluice_configuration_generation", Type::gauge, "The configuration in force.");
  page.sample({}, view.configuration);
  page.family("sluice_reloads_total", Type::counter, "Reloads that took effect.");
  page.sample({}, view.reloads);
  page.family("sluice_reload_failures_total", Type::counter,
              "Reloads refused; the configuration before them stayed.");
  page.sample({}, view.reload_failures);
  page.family("sluice_api_keys", Type::gauge, "API keys known.");
  page.sample({}, std::uint64_t{view.api_keys});
}

void add_approvals(Exposition& page, const ApprovalCounts& counts) {
  page.family("sluice_holds", Type::gauge, "Operations that wait for people now.");
  page.sample({}, counts.waiting);
  page.family("sluice_holds_total", Type::counter,
              "Operations that were held, by what became of "
              "them.");
  const auto add = [&](std::string_view result, std::uint64_t count) {
    const std::array<Label, 1> labels{{{"result", result}}};
    page.sample(labels, count);
  };
  add("approved", counts.approved);
  add("denied", counts.denied);
  add("expired", counts.expired);
  add("withdrawn", counts.withdrawn);
  add("lost", counts.lost);
  add("break-glass", counts.broken);
  add("too-many", counts.too_many);
  add("unavailable", counts.unavailable);
  page.family("sluice_unreviewed_requests", Type::gauge,
              "Operations that one person ran by breaking the glass, and nobody has reviewed.");
  page.sample({}, counts.unreviewed);
  page.family("sluice_decisions_refused_total", Type::counter,
              "Decisions that did not count: of people who may not decide, or too late.");
  page.sample({}, counts.decisions_refused);
}

void add_notifications(Exposition& page, const NotificationCounts& counts) {
  if (counts.webhooks.empty()) return;
  const auto add = [&](std::string_view name, Type type, std::string_view help,
                       std::uint64_t WebhookCounts::*value) {
    page.family(name, type, help);
    for (const WebhookCounts& one : counts.webhooks) {
      const std::array<Label, 1> labels{{{"webhook", one.name}}};
      page.sample(labels, one.*value);
    }
  };
  add("sluice_notifications_pending", Type::gauge, "Deliveries that have not arrived.",
      &WebhookCounts::pending);
  add("sluice_notifications_delivered_total", Type::counter, "Deliveries that arrived.",
      &WebhookCounts::delivered);
  add("sluice_notification_failures_total", Type::counter, "Attempts that failed.",
      &WebhookCounts::failures);
  add("sluice_notifications_given_up_total", Type::counter,
      "Deliveries that are not tried any more; the log says which.", &WebhookCounts::given_up);
  page.family("sluice_notifications_dropped_total", Type::counter,
              "Notices that could not be kept; the log says which.");
  page.sample({}, counts.dropped);
}

}  // namespace

std::string metrics_text(const GatewayView& view) {
  Exposition page;
  add_gateway(page, view);
  add_worker_families(page, view);
  add_requests(page, view);
  add_tls(page, view);
  add_latencies(page, view);
  add_audit(page, view.log);
  add_retention(page, view.retention);
  add_exports(page, view);
  add_issuers(page, view);
  add_recordings(page, view.recordings);
  add_tokens(page, view);
  add_certificates(page, view);
  add_approvals(page, view.approvals);
  add_notifications(page, view.notifications);
  return page.text();
}

}  // namespace sluice::control
