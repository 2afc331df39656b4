#include "dataplane/tls/ocsp_staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include <memory>

#include "base/bytes.h"
#include "dataplane/tls/pem.h"

namespace sluice::dataplane {
namespace {

struct OcspDelete {
  void operator()(OCSP_RESPONSE* response) const noexcept { OCSP_RESPONSE_free(response); }
  void operator()(OCSP_BASICRESP* response) const noexcept { OCSP_BASICRESP_free(response); }
  void operator()(OCSP_CERTID* id) const noexcept { OCSP_CERTID_free(id); }
};
template <class T>
using Ocsp = std::unique_ptr<T, OcspDelete>;

/// Null: it is broken, or says that there is no answer (RFC 6960 §4.2.1).
Ocsp<OCSP_BASICRESP> parse(std::string_view der) {
  const unsigned char* at = as_bytes(der).data();
  const unsigned char* const end = at + der.size();
  const Ocsp<OCSP_RESPONSE> response(
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (!response || at != end) return nullptr;
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return nullptr;
  return Ocsp<OCSP_BASICRESP>(OCSP_response_get1_basic(response.get()));
}

/// RFC 6960 §4.2.2.2: the authority itself, or whom it lets answer.
bool is_signed(OCSP_BASICRESP* response, X509* authority) {
  const Openssl<X509_STORE> trusted(X509_STORE_new());
  return trusted && X509_STORE_add_cert(trusted.get(), authority) == 1 &&
         X509_STORE_set_flags(trusted.get(), X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
         OCSP_basic_verify(response, nullptr, trusted.get(), 0) == 1;
}

/// What it says of the leaf; null: nothing. Responders name certificates by any digest.
OCSP_SINGLERESP* find(OCSP_BASICRESP* response, const X509* leaf, const X509* authority) {
  for (int i = 0; i < OCSP_resp_count(response); ++i) {
    OCSP_SINGLERESP* const one = OCSP_resp_get0(response, i);
    const OCSP_CERTID* const id = OCSP_SINGLERESP_get0_id(one);
    ASN1_OBJECT* digest = nullptr;
    if (OCSP_id_get0_info(nullptr, &digest, nullptr, nullptr, const_cast<OCSP_CERTID*>(id)) != 1) {
      continue;
    }
    const EVP_MD* const how = EVP_get_digestbyobj(digest);
    if (how == nullptr) continue;
    const Ocsp<OCSP_CERTID> wanted(OCSP_cert_to_id(how, leaf, authority));
    if (wanted && OCSP_id_cmp(wanted.get(), id) == 0) return one;
  }
  return nullptr;
}

}  // namespace

Result<OcspStaple> read_staple(const config::FileText& file, const X509* leaf,
                               STACK_OF(X509) * chain) {
  const Ocsp<OCSP_BASICRESP> response = parse(file.text);
  ERR_clear_error();
  if (!response) return fail_at(file, "holds no OCSP response (DER) that answers");
  if (sk_X509_num(chain) == 0) {
    return fail_at(file, "needs the authority's certificate behind the listener's own");
  }
  X509* const authority = sk_X509_value(chain, 0);
  OCSP_SINGLERESP* const one = find(response.get(), leaf, authority);
  if (one == nullptr) return fail_at(file, "holds an OCSP response about another certificate");
  const bool is_good = is_signed(response.get(), authority);
  ERR_clear_error();
  if (!is_good) return fail_at(file, "holds an OCSP response that its authority has not signed");
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int status = OCSP_single_get0_status(one, nullptr, nullptr, &from, &until);
  if (status != V_OCSP_CERTSTATUS_GOOD) {
    return fail_at(file, status == V_OCSP_CERTSTATUS_REVOKED
                             ? "says that the certificate was revoked"
                             : "says that the responder does not know the certificate");
  }
  if (until == nullptr) return fail_at(file, "holds an OCSP response that does not say until when");
  if (X509_cmp_current_time(from) > 0) return fail_at(file, "holds an OCSP response of the future");
  if (X509_cmp_current_time(until) < 0)
    return fail_at(file, "holds an OCSP response whose time is over");
  return OcspStaple{file.text, wall_time(until)};
}

}  // namespace sluice::dataplane
