// TLS contexts for both ends, and plans with the faults that a test asks for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/tls/tls_context.h"
#include "must.h"
#include "test_certificates.h"

namespace sluice::test {

inline config::FileText file_text(std::string path, std::string text) {
  return {std::move(path), std::move(text), {"test.yaml", 1, 1}};
}

/// crl  empty: nobody asks.
inline config::ClientCertificates client_certificates(const std::string& ca,
                                                      const std::string& crl = {}) {
  config::ClientCertificates settings;
  settings.client_ca = file_text("clients.crt", ca);
  if (!crl.empty()) settings.crl = file_text("clients.crl", crl);
  return settings;
}

/// A server that asks clients for certificates.
inline std::shared_ptr<const dataplane::TlsContext> tls_server_for(
    const config::ClientCertificates& clients, config::ClientCertificate asked) {
  const Pem pair = test_certificate("DNS:gw.test");
  config::ListenerTls settings;
  settings.certificate = file_text("gw.crt", pair.certificate);
  settings.key = file_text("gw.key", pair.key);
  settings.client_certificate = asked;
  return must(dataplane::TlsContext::make(must(dataplane::plan_tls(
      settings, config::Protocol::http, must(dataplane::ClientTrust::read(clients))))));
}

inline std::shared_ptr<const dataplane::TlsContext> tls_server(
    const Pem& first, const std::vector<Pem>& by_name = {},
    config::Protocol protocol = config::Protocol::http) {
  config::ListenerTls settings;
  settings.certificate = file_text("gw.crt", first.certificate);
  settings.key = file_text("gw.key", first.key);
  for (const Pem& more : by_name) {
    settings.by_name.push_back(
        {file_text("more.crt", more.certificate), file_text("more.key", more.key)});
  }
  return must(dataplane::TlsContext::make(
      must(dataplane::plan_tls(settings, protocol)),
      std::make_shared<dataplane::TicketKeys>(dataplane::TicketSeed(Instant{}))));
}

/// ca  whom it trusts; empty: anybody.
inline std::shared_ptr<const dataplane::TlsContext> tls_client(
    const std::string& ca = test_authority().certificate,
    config::Protocol protocol = config::Protocol::http) {
  config::TargetTls settings;
  if (ca.empty()) settings.verify = config::TlsVerify::none;
  settings.ca = file_text("ca.crt", ca);
  return must(dataplane::TlsContext::make(must(dataplane::plan_tls(settings, {}, protocol))));
}

}  // namespace sluice::test
