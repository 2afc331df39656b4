// What one worker counts. Its thread writes; the control thread reads.
#pragma once

#include <array>

#include "dataplane/denials.h"
#include "dataplane/tally.h"
#include "dataplane/target_latencies.h"
#include "dataplane/tls/tls_fault.h"
#include "identity/certificate.h"
#include "identity/token_fault.h"

namespace sluice::dataplane {

/// TLS towards one side.
struct TlsMetrics {
  Tally handshaking;  ///< Handshakes under way.
  Tally done_tls12;
  Tally done_tls13;
  Tally resumed;                         ///< Of those that are done.
  Tally kernel;                          ///< Connections whose records the kernel makes.
  Tally kernel_received;                 ///< Of these, whose peers' records it opens.
  Tally kernel_missed;                   ///< Of these, whose peers' it was to, and does not.
  std::array<Tally, tls_faults> failed;  ///< Handshakes, by TlsFault.
  Tally broken;                          ///< Connections that failed behind their handshake.
};

struct WorkerMetrics {
  Tally clients_accepted;
  Tally clients_open;
  Tally introductions_refused;  ///< Proxies that did not say for whom they speak.
  Tally upstreams_opened;
  Tally upstreams_open;
  Tally requests_allowed;
  Tally requests_denied;  ///< By policy.
  Denials denials;        ///< The same, by target and rule.
  Tally requests_unauthenticated;
  Tally proofs_unseen;  ///< Credentials that were not looked at: too many failed before.
  std::array<Tally, identity::token_faults> tokens_refused;              ///< By why.
  std::array<Tally, identity::certificate_faults> certificates_refused;  ///< Likewise.
  Tally requests_malformed;
  Tally requests_unavailable;      ///< Refused because the gateway or the target could not serve.
  std::array<Tally, 6> responses;  ///< By status class; [0] for none.
  Tally masks_applied;
  Tally bytes_in;   ///< Body bytes from clients.
  Tally bytes_out;  ///< Body bytes to clients.
  Tally upstream_retries;
  Tally log_stalls;  ///< Times reading stopped because the audit ring was full.
  Tally buffers_free;
  TlsMetrics tls_clients;
  TlsMetrics tls_targets;
  TargetLatencies latencies;
};

}  // namespace sluice::dataplane
