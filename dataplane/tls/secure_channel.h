// What an open TLS connection has shown, for those who speak inside of it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::dataplane {

class PeerCertificate;

/// A value: it holds for as long as the connection does, and knows nothing of it.
struct SecureChannel {
  /// `tls-server-end-point`: the hash of the certificate that the server showed, ours towards a
  /// client (RFC 5929 §4.1). Empty: its signature names no hash, or nothing
  /// inside is bound to it (binds_channel).
  std::vector<std::uint8_t> server_end_point;
  /// The peer's certificate was signed by somebody who is trusted, for the peer's name.
  bool is_verified = false;
  /// Of a client that showed one; null: it did not, or the peer is a server.
  std::shared_ptr<const PeerCertificate> client;
};

}  // namespace sluice::dataplane
