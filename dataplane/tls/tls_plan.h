// What TLS is made of, read and checked: certificates with their keys for listeners, and who
// is trusted for targets. Immutable; all workers share it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/sha256.h"
#include "base/result.h"
#include "config/model/public_key_pin.h"
#include "config/model/settings.h"
#include "dataplane/tls/client_trust.h"
#include "dataplane/tls/ocsp_staple.h"
#include "dataplane/tls/openssl.h"

namespace sluice::dataplane {

/// What the protocol inside of TLS is called by ALPN (RFC 7301).
constexpr std::string_view alpn_of(config::Protocol protocol) noexcept {
  return protocol == config::Protocol::postgres ? "postgresql" : "http/1.1";
}

/// A connection asks for TLS in clear before it speaks it.
constexpr bool asks_for_tls(config::Protocol protocol) noexcept {
  return protocol == config::Protocol::postgres;
}

/// Logins inside of a connection may be bound to the certificate that it showed (RFC 5929).
constexpr bool binds_channel(config::Protocol protocol) noexcept {
  return protocol == config::Protocol::postgres;
}

struct TlsCertificate {
  Openssl<X509> leaf;
  Openssl<STACK_OF(X509)> chain;  ///< Behind the leaf; may be empty.
  Openssl<EVP_PKEY> key;
  OcspStaple staple;  ///< A listener's may have one.
};

/// For one listener.
struct TlsServerPlan {
  config::Protocol protocol = config::Protocol::http;  ///< Spoken inside.
  std::vector<TlsCertificate> certificates;  ///< The first is for clients that ask for no name.
  /// By which the certificates of clients are verified; null: they are asked for none.
  std::shared_ptr<const ClientTrust> clients;
  bool requires_certificate = false;  ///< Of clients, else they may come without one.
  audit::Hash digest{};               ///< Of all that was read.
};

/// For one target.
struct TlsClientPlan {
  config::Protocol protocol = config::Protocol::http;  ///< Spoken inside.
  std::shared_ptr<X509_STORE> trusted;  ///< Null: the target's certificate is not looked at.
  std::vector<std::string> names;  ///< By address: a DNS name or an address that it must be for.
  std::vector<config::PublicKeyPin> pins;     ///< Of one of these keys; empty: of any.
  std::optional<TlsCertificate> certificate;  ///< For targets that ask for one.
  audit::Hash digest{};
};

/// errors  with their place: no certificate, no key, an encrypted key, a key of another
///         certificate, one that is weak, expired or not valid yet, what read_staple() refuses.
/// clients  that are trusted; needed where `settings` ask for certificates.
Result<std::shared_ptr<const TlsServerPlan>> plan_tls(
    const config::ListenerTls& settings, config::Protocol protocol,
    std::shared_ptr<const ClientTrust> clients = nullptr);

/// The system's certificates are read from where its OpenSSL has them.
/// errors  with their place: a file without a certificate, a pair as above.
Result<std::shared_ptr<const TlsClientPlan>> plan_tls(
    const config::TargetTls& settings, const std::vector<config::SocketAddress>& addresses,
    config::Protocol protocol);

}  // namespace sluice::dataplane
