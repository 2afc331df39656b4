// A gateway's control API over TLS, as verbs call it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model/settings.h"
#include "control/http.h"
#include "dataplane/tls/tls_context.h"

namespace sluice::cli {

/// A host and a port of it; an IPv6 address without brackets.
struct HostPort {
  std::string host;
  std::uint16_t port = 443;
};

/// "HOST:PORT", "HOST", "[V6]:PORT"; nothing: it is none of these.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);
/// With brackets where they are needed.
[[nodiscard]] std::string text(const HostPort& place);

/// By which a client trusts the certificate of `place`.
/// ca  as RemoteGateway::at() takes it.
Result<std::shared_ptr<const dataplane::TlsContext>> client_tls(const HostPort& place,
                                                                const std::string& ca,
                                                                config::Protocol protocol);

class RemoteGateway {
 public:
  /// url  "https://HOST" or "https://HOST:PORT", an IPv6 address in brackets.
  /// ca   a file of certificates as PEM, who may have signed the gateway's; empty: the system's.
  static Result<RemoteGateway> at(std::string_view url, const std::string& ca);

  /// Its certificate must be for the host of the URL.
  [[nodiscard]] Result<control::HttpReply> ask(control::HttpRequest request) const;
  [[nodiscard]] Result<control::HttpReply> fetch(control::HttpRequest request,
                                                 const control::HttpFetch& how) const;

  [[nodiscard]] const std::string& host() const noexcept { return place_.host; }
  [[nodiscard]] std::uint16_t port() const noexcept { return place_.port; }

 private:
  RemoteGateway() = default;
  /// how  null: all of the reply within a minute.
  [[nodiscard]] Result<control::HttpReply> exchange(control::HttpRequest request,
                                                    const control::HttpFetch* how) const;

  HostPort place_;
  std::shared_ptr<const dataplane::TlsContext> context_;
};

}  // namespace sluice::cli
