#include "dataplane/tls/peer_certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "base/text_codec.h"
#include "dataplane/tls/pem.h"

namespace sluice::dataplane {
namespace {

/// Names of subjectAltName that are looked at; a certificate with more proves nobody.
constexpr int names_max = 64;
/// Of what a target is told.
constexpr std::size_t forwarded_bytes_max = 2048;

/// Byte for byte: also a NUL, which no C string would show (CVE-2009-2408).
std::string bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string serial_of(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  return to_hex(
      {ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

/// False when they cannot be read or are too many.
bool read_names(const X509* certificate, identity::CertificateFacts& facts) {
  int position = -1;  // -1 behind it: there is no such extension
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &position, nullptr));
  ERR_clear_error();
  if (names == nullptr) return position == -1;
  const int count = sk_GENERAL_NAME_num(names);
  for (int i = 0; i < std::min(count, names_max); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI) facts.uris.push_back(bytes_of(name->d.ia5));
    if (name->type == GEN_DNS) facts.dns.push_back(bytes_of(name->d.ia5));
    if (name->type == GEN_EMAIL) facts.emails.push_back(bytes_of(name->d.ia5));
  }
  GENERAL_NAMES_free(names);
  return count <= names_max;
}

identity::CertificateFacts facts_of(const X509* leaf, STACK_OF(X509) * chain) {
  identity::CertificateFacts facts;
  facts.is_readable = read_names(leaf, facts);
  facts.subject = text(X509_get_subject_name(leaf));
  facts.serial = serial_of(leaf);
  facts.fingerprint = fingerprint_of(leaf);
  facts.good_until = wall_time(X509_get0_notAfter(leaf));
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    facts.good_until =
        std::min(facts.good_until, wall_time(X509_get0_notAfter(sk_X509_value(chain, i))));
  }
  return facts;
}

/// As elements may hold it without an escape that readers could understand in two ways.
bool is_plain(std::string_view name, std::string_view forbidden) noexcept {
  return std::ranges::all_of(name, [forbidden](char c) {
    return c > ' ' - 1 && c <= '~' && forbidden.find(c) == std::string_view::npos;
  });
}

std::string forwarded_of(const identity::CertificateFacts& facts) {
  std::string out = "Hash=" + to_hex(facts.fingerprint);
  const auto add = [&out](std::string element) {
    if (out.size() + 1 + element.size() <= forwarded_bytes_max) out += ";" + element;
  };
  if (!facts.subject.empty() && is_plain(facts.subject, "\"\\")) {
    add(fmt::format("Subject=\"{}\"", facts.subject));
  }
  constexpr std::string_view separators = " \"\\,;=";
  for (const std::string& uri : facts.uris) {
    if (is_plain(uri, separators)) add("URI=" + uri);
  }
  for (const std::string& dns : facts.dns) {
    if (is_plain(dns, separators)) add("DNS=" + dns);
  }
  return out;
}

}  // namespace

audit::Hash fingerprint_of(const X509* certificate) noexcept {
  audit::Hash digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) digest = {};
  return digest;
}

std::shared_ptr<const PeerCertificate> PeerCertificate::of(const SSL* ssl,
                                                           const audit::Hash& verified_by) {
  std::shared_ptr<PeerCertificate> made(new PeerCertificate);
  made->leaf_.reset(SSL_get1_peer_certificate(ssl));
  if (!made->leaf_) return nullptr;
  made->chain_.reset(X509_chain_up_ref(SSL_get0_verified_chain(ssl)));
  if (!made->chain_) return nullptr;
  made->verified_by_ = verified_by;
  made->facts_ = facts_of(made->leaf_.get(), made->chain_.get());
  made->forwarded_ = forwarded_of(made->facts_);
  return made;
}

}  // namespace sluice::dataplane
