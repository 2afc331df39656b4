// A gateway's control API over TLS, as verbs call it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/http.h"
#include "dataplane/tls/tls_context.h"

namespace sluice::cli {

class RemoteGateway {
 public:
  /// url  "https://HOST" or "https://HOST:PORT", an IPv6 address in brackets.
  /// ca   a file of certificates as PEM, who may have signed the gateway's; empty: the system's.
  static Result<RemoteGateway> at(std::string_view url, const std::string& ca);

  /// Its certificate must be for the host of the URL.
  [[nodiscard]] Result<control::HttpReply> ask(control::HttpRequest request) const;

  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  RemoteGateway() = default;

  std::string host_;
  std::uint16_t port_ = 443;
  std::shared_ptr<const dataplane::TlsContext> context_;
};

}  // namespace sluice::cli
