// What an HTTP message means to identity, policy and the audit log.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "audit/record.h"
#include "config/model/policy.h"
#include "config/model/principal.h"
#include "dataplane/session/heads.h"
#include "dataplane/session/worker_context.h"
#include "identity/credential.h"
#include "parsers/http1/message.h"
#include "parsers/http1/target.h"

namespace sluice::dataplane {

// What records name as the rule where policy was not asked.
inline constexpr std::string_view protocol_rule = "protocol";
inline constexpr std::string_view identity_rule = "identity";

/// The credential of a request; nothing when it carries none.
struct PresentedCredential {
  std::optional<identity::Credential> credential;
  bool is_repeated = false;  ///< More than one: which one counts would be a guess.
};
PresentedCredential presented_credential(const http1::RequestHead& head) noexcept;

/// Scratch memory of http_action(), prepared for the listener's paths and patterns.
struct ActionRoom {
  config::PathSearch& path_search;
  matcher::Scratch& scratch;
  std::vector<std::uint32_t>& header_hits;  ///< Reserved for every pattern there is.
  ByteSpan lines;  ///< head_bytes_max bytes, with a readable tail behind them.
};

/// Scans path and header lines for the listener's patterns. The hits lie in `room`.
config::HttpAction http_action(const ListenerPlan& listener, const http1::RequestHead& head,
                               const http1::Target& target, const ActionRoom& room) noexcept;

/// What policy's body patterns found.
struct BodyHits {
  std::span<const std::uint32_t> hits;
  /// Somewhere a part's coding or charset is named that patterns do not see through.
  bool has_coded_part = false;
};
BodyHits scan_body(const ListenerPlan& listener, std::span<const ByteView> pieces,
                   matcher::BodyKind kind, matcher::Scratch& scratch) noexcept;

/// Whether the body seems to be UTF-16 or UTF-32: JSON and XML readers recognise
/// those by themselves, whatever the head says (RFC 4627 §3).
bool is_in_wide_characters(std::span<const ByteView> pieces, const BodyReading& reading) noexcept;

/// Verb, resource and host, masked into the worker's scratch memory.
void describe_operation(const Snapshot& snapshot, const http1::RequestHead& head,
                        const http1::Target& target, audit::Record& record,
                        WorkerContext& worker) noexcept;

/// "192.0.2.7:50123" → "192.0.2.7"; "[2001:db8::1]:80" → "2001:db8::1".
std::string_view host_of(std::string_view endpoint_text) noexcept;

}  // namespace sluice::dataplane
