#include "dataplane/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "base/bytes.h"
#include "dataplane/tls/tls_stream.h"

namespace sluice::dataplane {
namespace {

constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* tls13_ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";

std::string reason() {
  const char* const text = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return text == nullptr ? "OpenSSL does not say why" : text;
}

/// RFC 7301 §3.1: names, each behind its length.
std::string alpn_list(config::Protocol protocol) {
  const std::string_view name = alpn_of(protocol);
  return std::string(1, static_cast<char>(name.size())).append(name);
}

/// RFC 7301 §3.2: a client that offers protocols and none of ours is refused.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* argument) {
  const std::string_view ours = alpn_of(static_cast<const TlsServerPlan*>(argument)->protocol);
  ByteView rest{offered, offered_size};
  while (!rest.empty() && rest[0] < rest.size()) {
    const ByteView name = rest.subspan(1, rest[0]);
    rest = rest.subspan(1 + name.size());
    if (as_text(name) != ours) continue;
    *out = name.data();
    *out_size = static_cast<unsigned char>(name.size());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool use(SSL* ssl, const TlsCertificate& certificate) {
  return SSL_use_cert_and_key(ssl, certificate.leaf.get(), certificate.key.get(),
                              certificate.chain.get(), 1) == 1;
}

/// RFC 6066 §3: the certificates for the name that the client asks for, of each algorithm.
int choose_certificate(SSL* ssl, void* argument) {
  const auto& plan = *static_cast<const TlsServerPlan*>(argument);
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return 1;
  bool is_found = false;
  for (const TlsCertificate& certificate : plan.certificates) {
    if (X509_check_host(certificate.leaf.get(), name, 0, 0, nullptr) != 1) continue;
    if (!std::exchange(is_found, true)) SSL_certs_clear(ssl);
    if (!use(ssl, certificate)) return 0;
  }
  return 1;
}

/// In place of X509_verify_cert, and no more than it: what was refused is kept for the record.
int verify_client(X509_STORE_CTX* verification, void*) {
  const int result = X509_verify_cert(verification);
  if (result == 1) return 1;
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (stream != nullptr) stream->note_refused(X509_STORE_CTX_get0_cert(verification));
  return result;
}

/// RFC 6066 §8: what its authority says of the certificate that was chosen.
int choose_staple(SSL* ssl, void* argument) {
  const auto& plan = *static_cast<const TlsServerPlan*>(argument);
  const X509* const shown = SSL_get_certificate(ssl);
  const auto chosen = std::ranges::find(plan.certificates, shown,
                                        [](const TlsCertificate& one) { return one.leaf.get(); });
  if (chosen == plan.certificates.end()) return SSL_TLSEXT_ERR_NOACK;
  const std::string& response = chosen->staple.response;
  const WallTime now{seconds(std::time(nullptr)).ns};
  if (response.empty() || chosen->staple.good_until <= now) return SSL_TLSEXT_ERR_NOACK;
  void* const copy = OPENSSL_memdup(response.data(), response.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));  // takes it over
  return SSL_TLSEXT_ERR_OK;
}

/// In place of X509_verify_cert: the key must be one of those, too (RFC 7469 §2.6).
int verify_pinned(X509_STORE_CTX* verification, void* argument) {
  const auto& plan = *static_cast<const TlsClientPlan*>(argument);
  if (plan.trusted && X509_verify_cert(verification) != 1) return 0;
  unsigned char* key = nullptr;
  const int size =
      i2d_X509_PUBKEY(X509_get_X509_PUBKEY(X509_STORE_CTX_get0_cert(verification)), &key);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      key, [](unsigned char* bytes) { OPENSSL_free(bytes); });
  if (size > 0) {
    const audit::Hash shown = audit::sha256(ByteView(key, static_cast<std::size_t>(size)));
    if (std::ranges::find(plan.pins, shown) != plan.pins.end()) {
      X509_STORE_CTX_set_error(verification, X509_V_OK);
      return 1;
    }
  }
  X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool ask_for_certificates(SSL_CTX* context, const TlsServerPlan& plan) {
  STACK_OF(X509_NAME)* const names = sk_X509_NAME_new_null();
  bool is_done = names != nullptr;
  for (int i = 0; is_done && i < sk_X509_num(plan.clients->authorities()); ++i) {
    X509_NAME* const name =
        X509_NAME_dup(X509_get_subject_name(sk_X509_value(plan.clients->authorities(), i)));
    is_done = name != nullptr && sk_X509_NAME_push(names, name) > 0;
  }
  SSL_CTX_set_client_CA_list(context, names);  // takes it over
  // For verifying only: what the gateway shows is what its own file holds.
  is_done = is_done && SSL_CTX_set1_verify_cert_store(context, plan.clients->store()) == 1;
  SSL_CTX_set_verify_depth(context, client_chain_certificates_max);
  SSL_CTX_set_cert_verify_callback(context, verify_client, nullptr);
  SSL_CTX_set_verify(
      context, SSL_VERIFY_PEER | (plan.requires_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  return is_done;
}

bool set_up(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, tls_security_level);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A record is written as far as there is room, and the rest from where it lies then. An idle
  // connection gives the two buffers of a record back: 34 KiB of each would be most of its
  // memory, and what all connections take in turn stays in the cache.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // Tickets are kept by clients; a cache here would be locked and take memory. With TLS 1.3 it is
  // the stream that gives them.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, tls12_ciphers) == 1 &&
         SSL_CTX_set_ciphersuites(context, tls13_ciphers) == 1 &&
         SSL_CTX_set1_groups_list(context, groups) == 1 &&
         SSL_CTX_set_max_early_data(context, 0) == 1;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::make(
    std::shared_ptr<const TlsServerPlan> plan, std::shared_ptr<const TicketKeys> tickets) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = made->context_.get();
  if (context == nullptr || !set_up(context)) return fail(reason());
  const TlsCertificate& first = plan->certificates.front();
  if (SSL_CTX_use_cert_and_key(context, first.leaf.get(), first.key.get(), first.chain.get(), 1) !=
      1) {
    return fail(reason());
  }
  // Each is tried, so that none is refused in a handshake.
  const Openssl<SSL> trial(SSL_new(context));
  for (const TlsCertificate& certificate : plan->certificates) {
    if (!trial || !use(trial.get(), certificate)) return fail(reason());
  }
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<TlsServerPlan*>(plan.get()));
  if (plan->clients && !ask_for_certificates(context, *plan)) return fail(reason());
  // Drivers resume nothing; and a channel binding is about a certificate that was shown now. A
  // client's is shown and verified each time, so that a revoked one opens nothing any more.
  const bool may_resume = plan->protocol != config::Protocol::postgres && !plan->clients;
  if (tickets && may_resume) {
    use_tickets(context, *tickets);
    // A ticket is for what it was given for: the same certificates, asked for in the same way.
    static_assert(std::tuple_size_v<decltype(plan->digest)> == SSL_MAX_SID_CTX_LENGTH);
    SSL_CTX_set_session_id_context(context, plan->digest.data(), SSL_MAX_SID_CTX_LENGTH);
    made->tickets_ = std::move(tickets);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  }
  const bool has_staple = std::ranges::any_of(
      plan->certificates, [](const TlsCertificate& one) { return !one.staple.response.empty(); });
  if (has_staple) {
    // Their macros have casts in them that this compiler is told not to take.
    SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                          reinterpret_cast<void (*)()>(choose_staple));
    SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG, 0,
                 const_cast<TlsServerPlan*>(plan.get()));
  }
  if (plan->certificates.size() > 1) {
    SSL_CTX_set_cert_cb(context, choose_certificate, const_cast<TlsServerPlan*>(plan.get()));
  }
  made->server_ = std::move(plan);
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make(
    std::shared_ptr<const TlsClientPlan> plan) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = made->context_.get();
  if (context == nullptr || !set_up(context)) return fail(reason());
  const std::string ours = alpn_list(plan->protocol);
  // It says 0 when it worked, unlike the others.
  if (SSL_CTX_set_alpn_protos(context, as_bytes(ours).data(), static_cast<unsigned>(ours.size())) !=
      0) {
    return fail(reason());
  }
  if (plan->trusted) {
    SSL_CTX_set1_cert_store(context, plan->trusted.get());
  }
  if (!plan->pins.empty()) {
    SSL_CTX_set_cert_verify_callback(context, verify_pinned,
                                     const_cast<TlsClientPlan*>(plan.get()));
  }
  const bool looks = plan->trusted || !plan->pins.empty();
  SSL_CTX_set_verify(context, looks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (const auto& own = plan->certificate;
      own && SSL_CTX_use_cert_and_key(context, own->leaf.get(), own->key.get(), own->chain.get(),
                                      1) != 1) {
    return fail(reason());
  }
  made->client_ = std::move(plan);
  return made;
}

}  // namespace sluice::dataplane
