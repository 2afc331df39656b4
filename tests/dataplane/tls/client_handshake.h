// A client that shows a certificate, and a server that asks for one.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "dataplane/tls/peer_certificate.h"
#include "dataplane/tls/pem.h"
#include "tls/stream_pair.h"

namespace sluice::dataplane {

/// A client that shows this certificate, with what else stands behind it; empty: none.
inline std::shared_ptr<const TlsContext> client_with(const test::Pem& shown, int version) {
  auto context = test::tls_client();
  SSL_CTX* const it = context->get();
  SSL_CTX_set_min_proto_version(it, version);
  SSL_CTX_set_max_proto_version(it, version);
  SSL_CTX_set_security_level(it, 0);  // it shows what it has
  if (shown.certificate.empty()) return context;
  const auto chain =
      test::must(read_certificates(test::file_text("client.crt", shown.certificate)));
  const auto key = test::must(read_private_key(test::file_text("client.key", shown.key)));
  SSL_CTX_use_certificate(it, chain.front().get());
  for (std::size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(it, chain[i].get());
  SSL_CTX_use_PrivateKey(it, key.get());
  return context;
}

/// How the server sees the handshake, and the connection behind it.
struct Met {
  TlsFault fault = TlsFault::none;
  bool has_refused = false;
  bool is_resumed = false;
  std::shared_ptr<const PeerCertificate> shown;
};

inline Met meet(const test::Pem& shown, const config::ClientCertificates& trusted,
                config::ClientCertificate asked = config::ClientCertificate::required,
                int version = TLS1_3_VERSION) {
  End client(client_with(shown, version), "gw.test");
  End server(test::tls_server_for(trusted, asked));
  talk(client, server);
  Met met;
  met.fault = server.fault();
  met.has_refused = server.stream().refused().has_value();
  if (!server.is_open()) return met;
  met.is_resumed = server.stream().is_resumed();
  met.shown = server.stream().channel().client;
  return met;
}

}  // namespace sluice::dataplane
