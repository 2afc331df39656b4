#include "test_certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace sluice::test {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free>>;

void require(bool is_good, const char* what) {
  if (!is_good) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

Key make_key(const CertificateOptions& options) {
  Key key(options.is_ed25519      ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
          : options.rsa_bits == 0 ? EVP_EC_gen("P-256")
                                  : EVP_RSA_gen(static_cast<unsigned>(options.rsa_bits)));
  require(key != nullptr, "key");
  return key;
}

Memory reader(const std::string& pem) {
  return Memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Pem make_certificate(const CertificateOptions& options, const Pem* authority) {
  static std::atomic<long> serial{1};
  const Key key = make_key(options);
  const Certificate certificate(X509_new());
  X509* const it = certificate.get();
  X509_set_version(it, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(it), serial++);
  X509_gmtime_adj(X509_getm_notBefore(it), options.from_s);
  X509_gmtime_adj(X509_getm_notAfter(it), options.to_s);
  X509_set_pubkey(it, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);

  Certificate issuer;
  Key signer;
  if (authority != nullptr) {
    issuer.reset(
        PEM_read_bio_X509(reader(authority->certificate).get(), nullptr, nullptr, nullptr));
    signer.reset(PEM_read_bio_PrivateKey(reader(authority->key).get(), nullptr, nullptr, nullptr));
  }
  X509* const by = issuer ? issuer.get() : it;
  X509_set_issuer_name(it, X509_get_subject_name(by));
  add_extension(it, by, NID_subject_key_identifier, "hash");
  add_extension(it, by, NID_basic_constraints,
                options.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!options.use.empty()) add_extension(it, by, NID_ext_key_usage, options.use);
  if (!options.names.empty()) add_extension(it, by, NID_subject_alt_name, options.names);
  EVP_PKEY* const with = signer ? signer.get() : key.get();
  const EVP_MD* const digest = EVP_get_digestbyname(options.digest);
  const bool has_own = EVP_PKEY_is_a(with, "ED25519") == 1;
  require(X509_sign(it, with, has_own ? nullptr : digest) > 0, "sign");

  const Memory certificate_out(BIO_new(BIO_s_mem()));
  const Memory key_out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(certificate_out.get(), it) == 1, "PEM");
  require(PEM_write_bio_PKCS8PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1,
          "PEM");
  return {text_of(certificate_out.get()), text_of(key_out.get())};
}

std::string make_crl(const Pem& authority, const std::vector<Pem>& revoked, long from_s,
                     long to_s) {
  using Time = std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>>;
  const Certificate issuer(
      PEM_read_bio_X509(reader(authority.certificate).get(), nullptr, nullptr, nullptr));
  const Key signer(PEM_read_bio_PrivateKey(reader(authority.key).get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>> list(X509_CRL_new());
  const Time from(X509_gmtime_adj(nullptr, from_s));
  const Time to(X509_gmtime_adj(nullptr, to_s));
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.get()));
  X509_CRL_set1_lastUpdate(list.get(), from.get());
  X509_CRL_set1_nextUpdate(list.get(), to.get());
  for (const Pem& one : revoked) {
    const Certificate certificate(
        PEM_read_bio_X509(reader(one.certificate).get(), nullptr, nullptr, nullptr));
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.get()));
    X509_REVOKED_set_revocationDate(entry, from.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  X509_CRL_sort(list.get());
  require(X509_CRL_sign(list.get(), signer.get(), EVP_sha256()) > 0, "sign");
  const Memory out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509_CRL(out.get(), list.get()) == 1, "PEM");
  return text_of(out.get());
}

std::string make_ocsp_response(const Pem& authority, const Pem& about, const Pem& signer,
                               const OcspOptions& options) {
  using Time = std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>>;
  const auto read = [](const Pem& pem) {
    return Certificate(PEM_read_bio_X509(reader(pem.certificate).get(), nullptr, nullptr, nullptr));
  };
  const Certificate issuer = read(authority);
  const Certificate subject = read(about);
  const Certificate by = read(signer);
  const Key key(PEM_read_bio_PrivateKey(reader(signer.key).get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<OCSP_BASICRESP, Deleter<OCSP_BASICRESP_free>> basic(OCSP_BASICRESP_new());
  const std::unique_ptr<OCSP_CERTID, Deleter<OCSP_CERTID_free>> id(
      OCSP_cert_to_id(EVP_get_digestbyname(options.digest), subject.get(), issuer.get()));
  const Time now(X509_gmtime_adj(nullptr, -60));
  const Time from(X509_gmtime_adj(nullptr, options.from_s));
  const Time to(X509_gmtime_adj(nullptr, options.to_s));
  constexpr int statuses[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                              V_OCSP_CERTSTATUS_UNKNOWN};
  const int status = statuses[static_cast<std::size_t>(options.status)];
  const bool is_revoked = status == V_OCSP_CERTSTATUS_REVOKED;
  require(OCSP_basic_add1_status(basic.get(), id.get(), status, 0, is_revoked ? now.get() : nullptr,
                                 from.get(), options.to_s == 0 ? nullptr : to.get()) != nullptr,
          "status");
  require(OCSP_basic_sign(basic.get(), by.get(), key.get(), EVP_sha256(), nullptr, 0) == 1, "sign");
  const std::unique_ptr<OCSP_RESPONSE, Deleter<OCSP_RESPONSE_free>> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* bytes = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &bytes);
  require(size > 0, "DER");
  std::string der(bytes, bytes + size);
  OPENSSL_free(bytes);
  return der;
}

const Pem& test_authority() {
  static const Pem authority =
      make_certificate({.common_name = "sluice test authority", .is_authority = true});
  return authority;
}

Pem test_certificate(const std::string& names) {
  return make_certificate({.names = names}, &test_authority());
}

}  // namespace sluice::test
