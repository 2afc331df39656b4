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

/// The credential of a request; nothing when it carries none.
struct PresentedCredential {
  std::optional<identity::Credential> credential;
  bool is_repeated = false;  ///< More than one: which one counts would be a guess.
};
PresentedCredential presented_credential(const http1::RequestHead& head) noexcept;

/// Scans path and header lines for the listener's patterns. The hits lie in the
/// worker's scratch memory.
config::HttpAction http_action(const ListenerPlan& listener, const http1::RequestHead& head,
                               const http1::Target& target, WorkerContext& worker) noexcept;

/// What policy's body patterns found.
struct BodyHits {
  std::span<const std::uint32_t> hits;
  /// Somewhere a part's coding or charset is named that patterns do not see through.
  bool has_coded_part = false;
};
BodyHits scan_body(const ListenerPlan& listener, std::span<const ByteView> pieces,
                   matcher::BodyKind kind, WorkerContext& worker) noexcept;

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
