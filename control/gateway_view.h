// What the admin interface shows of a gateway, as values: whoever wires the
// program fills them, so that this room need not know the data path.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/log.h"
#include "audit/retention.h"
#include "base/histogram.h"
#include "base/instant.h"
#include "control/approvals/counts.h"
#include "control/introspector.h"
#include "control/key_keeper.h"
#include "control/notifications/counts.h"
#include "control/saml_pages.h"
#include "control/token_mint.h"
#include "identity/certificate.h"
#include "identity/token_fault.h"

namespace sluice::control {

/// TLS towards one side.
struct TlsView {
  std::uint64_t handshaking = 0;
  std::uint64_t done_tls12 = 0;
  std::uint64_t done_tls13 = 0;
  std::uint64_t resumed = 0;
  std::uint64_t kernel = 0;
  std::uint64_t kernel_received = 0;
  std::uint64_t kernel_missed = 0;
  std::vector<std::pair<std::string_view, std::uint64_t>> failed;  ///< By reason.
  std::uint64_t broken = 0;
};

struct WorkerView {
  std::uint64_t clients_accepted = 0;
  std::uint64_t clients_open = 0;
  std::uint64_t clients_refused = 0;  ///< The connection table was full.
  std::uint64_t introductions_refused = 0;
  std::uint64_t upstreams_opened = 0;
  std::uint64_t upstreams_open = 0;
  std::uint64_t requests_allowed = 0;
  std::uint64_t requests_denied = 0;
  std::uint64_t requests_unauthenticated = 0;
  std::uint64_t proofs_unseen = 0;  ///< Of these, by sources that failed too often.
  std::uint64_t requests_malformed = 0;
  std::array<std::uint64_t, identity::token_faults> tokens_refused{};              ///< By why.
  std::array<std::uint64_t, identity::certificate_faults> certificates_refused{};  ///< Likewise.
  std::uint64_t requests_unavailable = 0;
  std::array<std::uint64_t, 6> responses{};  ///< By status class; [0] for none.
  std::uint64_t masks_applied = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_spliced = 0;
  std::uint64_t upstream_retries = 0;
  std::uint64_t log_stalls = 0;
  std::uint64_t buffers_free = 0;
  TlsView tls_clients;
  TlsView tls_targets;
};

/// Latencies of the requests to one target, over all workers.
struct LatencyView {
  std::string target;
  Histogram ns;
};

/// How often a rule denied on a target, over all workers.
struct DenialView {
  std::string target;
  std::string rule;
  std::uint64_t count = 0;
};

struct ListenerView {
  std::string name;
  std::string address;
  std::string target;
  std::string protocol;  ///< "http" or "postgres"
  bool has_tls = false;
};

/// One export of the audit log.
struct ExportView {
  std::string name;
  std::uint64_t exported = 0;  ///< Records of the log that have arrived.
  std::uint64_t failures = 0;  ///< Attempts that failed since the start.
  std::string last_error;      ///< Empty when the last attempt went well.
  bool has_stopped = false;    ///< The destination refused a batch for good.
  Duration lag;                ///< Age of the oldest record that has not arrived.
};

/// What is being recorded.
struct RecordingsView {
  std::uint64_t chunks = 0;  ///< Written since the start, as are the bytes.
  std::uint64_t bytes = 0;
  std::uint64_t open = 0;           ///< Recordings that are being made.
  std::uint64_t total_bytes = 0;    ///< Of all there are.
  std::uint64_t backlog_bytes = 0;  ///< On their way from workers.
  std::uint64_t failures = 0;       ///< Attempts to write a chunk that failed.
  bool takes = true;                ///< Nothing new is recorded while not.
  std::uint64_t removed = 0;        ///< Recordings, since the start.
  std::uint64_t removal_failures = 0;
  std::uint64_t held = 0;  ///< Too old, and there because of a legal hold.
};

struct GatewayView {
  std::string version;
  std::string state;                ///< "running" or "draining".
  std::uint64_t configuration = 0;  ///< Generation in force.
  std::uint64_t reloads = 0;
  std::uint64_t reload_failures = 0;
  std::string last_reload_error;  ///< Empty when the last reload went well.
  WallTime started;
  Duration uptime;
  std::size_t api_keys = 0;
  bool has_kernel_tls = false;          ///< The kernel is given the keys of what is sent in TLS.
  bool has_kernel_tls_receive = false;  ///< And of what is received in TLS 1.2.
  std::vector<ListenerView> listeners;
  std::string control_api;  ///< Where it listens for TLS; empty: nowhere.
  std::vector<WorkerView> workers;
  std::vector<std::unique_ptr<LatencyView>> latencies;  ///< A histogram does not move.
  std::vector<DenialView> denials;
  audit::LogStatus log;
  audit::RetentionStatus retention;
  std::vector<ExportView> exports;
  std::vector<IssuerView> issuers;
  std::optional<RecordingsView> recordings;  ///< Nothing: there are none.
  MintCounts tokens;
  IntrospectionCounts introspection;
  ApprovalCounts approvals;
  NotificationCounts notifications;
  SamlCounts saml;
};

/// For /metrics.
std::string metrics_text(const GatewayView& view);
/// For /status: one JSON object.
std::string status_json(const GatewayView& view);

}  // namespace sluice::control
