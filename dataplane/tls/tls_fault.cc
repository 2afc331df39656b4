#include "dataplane/tls/tls_fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>

namespace sluice::dataplane {
namespace {

/// RFC 8446 §6: the peer's alerts come as reasons of their own, with the alert's number in them.
TlsFault fault_of_alert(int alert) noexcept {
  switch (alert) {
    case SSL_AD_PROTOCOL_VERSION:
      return TlsFault::version;
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY:
      return TlsFault::algorithms;
    case SSL_AD_NO_APPLICATION_PROTOCOL:
      return TlsFault::protocol;
    default:
      return TlsFault::alert;
  }
}

TlsFault fault_of_reason(int reason) noexcept {
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNKNOWN_PROTOCOL:
      return TlsFault::not_tls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return TlsFault::version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_CIPHERS_SPECIFIED:
    case SSL_R_WRONG_CIPHER_RETURNED:
      return TlsFault::algorithms;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFault::protocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFault::missing;
    case ERR_R_MALLOC_FAILURE:
      return TlsFault::no_room;
    default:
      break;
  }
  constexpr int alerts = 256;
  const int alert = reason - SSL_AD_REASON_OFFSET;
  return alert >= 0 && alert < alerts ? fault_of_alert(alert) : TlsFault::malformed;
}

}  // namespace

TlsFault fault_of_verdict(long verdict) noexcept {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return TlsFault::expired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return TlsFault::wrong_name;
    case X509_V_ERR_APPLICATION_VERIFICATION:
      return TlsFault::wrong_key;
    case X509_V_ERR_INVALID_PURPOSE:
      return TlsFault::wrong_use;
    case X509_V_ERR_CERT_REVOKED:
      return TlsFault::revoked;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
      return TlsFault::no_crl;
    default:
      return TlsFault::untrusted;
  }
}

std::string_view text(TlsFault fault) noexcept {
  constexpr std::array<std::string_view, tls_faults> texts{
      "none",    "not-tls",    "version",     "algorithms", "protocol",    "untrusted",
      "expired", "wrong-name", "wrong-key",   "wrong-use",  "revoked",     "no-crl",
      "missing", "alert",      "malformed",   "truncated",  "unreachable", "timeout",
      "no-room", "key-update", "early-bytes", "refused",    "too-many"};
  static_assert(!texts.back().empty());
  return texts[static_cast<std::size_t>(fault)];
}

TlsFailure take_tls_failure(long verify_result) noexcept {
  const unsigned long error = ERR_peek_error();
  // A wrong signature in a chain has errors of its own before this one.
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  if (error == 0) return {TlsFault::malformed, {}};
  if (ERR_GET_LIB(last) == ERR_LIB_SSL && ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return {fault_of_verdict(verify_result), X509_verify_cert_error_string(verify_result)};
  }
  const char* const reason = ERR_reason_error_string(error);
  return {ERR_GET_LIB(error) == ERR_LIB_SSL ? fault_of_reason(ERR_GET_REASON(error))
                                            : TlsFault::malformed,
          reason == nullptr ? std::string_view() : reason};
}

}  // namespace sluice::dataplane
