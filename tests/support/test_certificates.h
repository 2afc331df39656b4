// Certificates made while a test runs, with the faults that it asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

/// As a listener's or a target's files hold them.
struct Pem {
  std::string certificate;
  std::string key;
};

struct CertificateOptions {
  std::string common_name = "sluice test";
  std::string names = {};  ///< subjectAltName, as OpenSSL writes it: "DNS:a.test,IP:127.0.0.1".
  bool is_authority = false;
  std::string use = {};           ///< extendedKeyUsage, as OpenSSL writes it: "serverAuth".
  long from_s = -3600;            ///< Valid from now plus this,
  long to_s = 3600;               ///< to now plus this.
  int rsa_bits = 0;               ///< 0: a key on P-256.
  bool is_ed25519 = false;        ///< Its key, which signs without another hash.
  const char* digest = "SHA256";  ///< Of its signature.
};

/// Signed by `authority`, or by itself where that is null.
Pem make_certificate(const CertificateOptions& options, const Pem* authority = nullptr);

/// The authority's list of those that it has revoked, good from now plus `from_s` to now plus
/// `to_s`.
std::string make_crl(const Pem& authority, const std::vector<Pem>& revoked, long from_s = -60,
                     long to_s = 3600);

struct OcspOptions {
  enum class Status { good, revoked, unknown };
  Status status = Status::good;
  long from_s = -60;            ///< Good from now plus this,
  long to_s = 3600;             ///< to now plus this; 0: it does not say.
  const char* digest = "SHA1";  ///< By which it names the certificate.
};

/// What a responder says of a certificate of the authority, as DER.
/// signer  the authority, or whom it lets answer.
std::string make_ocsp_response(const Pem& authority, const Pem& about, const Pem& signer,
                               const OcspOptions& options = {});

/// An authority, made once, and a certificate of it for these names.
const Pem& test_authority();
Pem test_certificate(const std::string& names);

}  // namespace sluice::test
