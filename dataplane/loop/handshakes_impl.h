// TLS handshakes: what follows one that is over, and one that failed.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// Who makes handshakes fail must not fill the log.
inline constexpr Duration handshake_note_interval = seconds(1);

template <Transport T>
void Loop<T>::on_secured(Connection& connection) {
  if (connection.role != Role::arriving) return on_ready(connection);
  // So that no other protocol's client can be led here, nor ours elsewhere (PostgreSQL manual,
  // "SSL Session Encryption").
  const bool is_unnamed =
      connection.is_direct_tls && transport_.stream(connection.id)->alpn().empty();
  is_unnamed ? on_handshake_failed(connection, TlsFault::protocol) : begin_session(connection);
}

inline UpstreamTrouble trouble_of(TlsFault fault) noexcept {
  if (fault == TlsFault::timeout) return UpstreamTrouble::connect_timeout;
  return is_about_certificate(fault) ? UpstreamTrouble::untrusted : UpstreamTrouble::tls_failed;
}

template <Transport T>
void Loop<T>::on_handshake_failed(Connection& connection, TlsFault fault) {
  const TlsStream* const tls = transport_.stream(connection.id);
  if (tls == nullptr || tls->failure().fault == TlsFault::none) {  // else the transport counted it
    auto& metrics = context_.metrics;
    auto& side = connection.pool == nullptr ? metrics.tls_clients : metrics.tls_targets;
    side.failed[static_cast<std::size_t>(fault)].add();
  }
  note_failed_handshake(connection, fault);
  switch (connection.role) {
    case Role::upstream:
      return give_up_connecting(connection, trouble_of(fault));
    case Role::probe:
      return end_probe(connection, false);
    case Role::canceller:
      return end_cancel(connection, false);
    default:
      return close(connection);
  }
}

template <Transport T>
bool Loop<T>::may_shake_hands(const Connection& client) {
  const auto& rate = context_.current->snapshot().listeners[client.listener].handshakes_per_source;
  if (!rate) return true;
  const RateLimiter::Caller source{.issuer = {}, .subject = as_text(source_of(client.peer))};
  const auto answer = handshakes_.take({&*rate, 1}, 1, source, 1, context_.now.monotonic);
  return answer.exceeded == nullptr;
}

/// One record a second at most; it says how many failed since the one before it.
template <Transport T>
void Loop<T>::note_failed_handshake(const Connection& connection, TlsFault fault) {
  ++unnoted_handshakes_;
  if (context_.now.monotonic < next_handshake_note_) return;
  const bool is_client = connection.pool == nullptr;
  const std::string where =
      is_client
          ? fmt::format("listener {}: client {}",
                        context_.current->snapshot().listeners[connection.listener].settings.name,
                        text(connection.peer))
          : fmt::format("target {}: {}", connection.pool->target_name(),
                        connection.pool->address(connection.address).text);
  const TlsStream* const tls = transport_.stream(connection.id);
  const std::string_view detail = tls == nullptr ? std::string_view() : tls->failure().detail;
  std::string said = fmt::format("{}: {}", where, text(fault));
  if (!detail.empty()) said += fmt::format(" ({})", detail);
  if (unnoted_handshakes_ > 1) said += fmt::format("; {} before it", unnoted_handshakes_ - 1);
  audit::Record record;
  record.phase = audit::Phase::control;
  record.time = context_.now;
  record.event = is_client ? "tls-client-refused" : "tls-target-refused";
  record.detail = said;
  if (tls != nullptr && tls->refused()) record.certificate = *tls->refused();
  if (!context_.log.append_single(record)) return;  // the next one tells of this one, too
  unnoted_handshakes_ = 0;
  next_handshake_note_ = context_.now.monotonic + handshake_note_interval;
}

/// Tells a peer that nothing was cut off: what was sent is all there is.
template <Transport T>
void Loop<T>::say_end(Connection& connection) {
  if (transport_.stream(connection.id) != nullptr) transport_.shutdown(connection.id);
}

}  // namespace sluice::dataplane
