// TLS of listeners and targets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/instant.h"
#include "config/model/values.h"

namespace sluice::config {

/// A certificate that the gateway shows, with those that lead to its authority, and its key.
struct TlsKeyPair {
  FileText certificate;
  FileText key;
  FileText ocsp = {};  ///< What its authority's responder last said of it, as DER; may be empty.
};

/// Whether clients of a listener show certificates.
enum class ClientCertificate : std::uint8_t { off, optional, required };

struct ListenerTls {
  FileText certificate;  ///< For clients that ask for no name, or for an unknown one.
  FileText key;
  FileText ocsp;                    ///< As of a TlsKeyPair.
  std::vector<TlsKeyPair> by_name;  ///< For clients that ask for a name in its certificate.
  ClientCertificate client_certificate = ClientCertificate::off;
  bool forward_client_certificate = false;  ///< In X-Forwarded-Client-Cert, to HTTP targets.
  Duration handshake_timeout = seconds(10);
  Rate handshakes_per_source;  ///< That one address may begin, at each worker; 0: any number.
};

enum class TlsVerify : std::uint8_t { full, none };

struct TargetTls {
  TlsVerify verify = TlsVerify::full;
  std::string name;  ///< That the certificate must be for; empty: what the address was written as.
  FileText ca;       ///< Who may have signed it; without a path: the system's.
  /// "sha256//" and base64, of the public key (SubjectPublicKeyInfo) that it must have, or of one
  /// of them; none: any key. Also without `verify`.
  std::vector<std::string> pins;
  FileText certificate;  ///< That the gateway shows when it is asked for one; may be empty.
  FileText key;
};

}  // namespace sluice::config
