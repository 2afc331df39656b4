#include "dataplane/tls/client_trust.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "dataplane/tls/pem.h"
#include "dataplane/tls/tls_context.h"

namespace sluice::dataplane {
namespace {

bool is_before_now(const ASN1_TIME* time) {
  return X509_cmp_current_time(time) < 0;
}

std::string quoted(const X509_NAME* name) {
  return fmt::format("'{}'", text(name));
}

}  // namespace

Result<std::shared_ptr<const ClientTrust>> ClientTrust::read(
    const config::ClientCertificates& settings) {
  std::shared_ptr<ClientTrust> made(new ClientTrust);
  made->store_.reset(X509_STORE_new());
  made->authorities_.reset(sk_X509_new_null());
  if (!made->store_ || !made->authorities_) return fail("no memory for certificates");
  if (auto done = made->add_authorities(settings.client_ca); !done) {
    return tl::unexpected(done.error());
  }
  const bool has_crl = !settings.crl.path.empty();
  if (has_crl) {
    if (auto done = made->add_crls(settings.crl); !done) return tl::unexpected(done.error());
  }
  made->digest_ = audit::sha256(as_bytes(
      settings.client_ca.text + '\0' + (has_crl ? "with" : "without") + '\0' + settings.crl.text));
  return made;
}

Result<void> ClientTrust::add_authorities(const config::FileText& file) {
  auto certificates = read_certificates(file);
  if (!certificates) return tl::unexpected(certificates.error());
  if (certificates->size() > client_authorities_max) {
    return fail_at(file, fmt::format("holds more than {} authorities", client_authorities_max));
  }
  for (auto& one : *certificates) {
    const std::string who = quoted(X509_get_subject_name(one.get()));
    // Whoever has the key of a certificate that is trusted as it is would need no authority.
    if (X509_check_ca(one.get()) == 0) {
      return fail_at(file, fmt::format("holds {}, which is no authority's certificate", who));
    }
    if (is_before_now(X509_get0_notAfter(one.get()))) {
      return fail_at(file, fmt::format("holds {}, which has expired", who));
    }
    if (X509_STORE_add_cert(store_.get(), one.get()) != 1 ||
        sk_X509_push(authorities_.get(), one.get()) == 0) {
      return fail_at(file, last_openssl_reason());
    }
    static_cast<void>(one.release());
  }
  for (int i = 0; i < sk_X509_num(authorities_.get()); ++i) {
    X509* const one = sk_X509_value(authorities_.get(), i);
    bool leads_on = X509_self_signed(one, 1) == 1;
    for (int j = 0; !leads_on && j < sk_X509_num(authorities_.get()); ++j) {
      leads_on =
          i != j && X509_check_issued(sk_X509_value(authorities_.get(), j), one) == X509_V_OK;
    }
    ERR_clear_error();
    if (!leads_on) {
      return fail_at(
          file, fmt::format("holds {} but not its issuer {}, up to the root",
                            quoted(X509_get_subject_name(one)), quoted(X509_get_issuer_name(one))));
    }
  }
  return {};
}

Result<void> ClientTrust::add_crls(const config::FileText& file) {
  const auto crls = read_crls(file);
  if (!crls) return tl::unexpected(crls.error());
  std::set<const X509*> covered;
  for (const auto& crl : *crls) {
    const std::string who = quoted(X509_CRL_get_issuer(crl.get()));
    const ASN1_TIME* const until = X509_CRL_get0_nextUpdate(crl.get());
    if (until == nullptr) {
      return fail_at(file, fmt::format("holds a list of {} that does not say when the next one "
                                       "comes (nextUpdate)",
                                       who));
    }
    if (is_before_now(until)) {
      return fail_at(file, fmt::format("holds a list of {} that has expired", who));
    }
    // Of an authority that clients bring along, the signature is looked at when they do.
    bool is_ours = false;
    bool is_signed = false;
    for (int i = 0; i < sk_X509_num(authorities_.get()); ++i) {
      const X509* const one = sk_X509_value(authorities_.get(), i);
      if (X509_NAME_cmp(X509_get_subject_name(one), X509_CRL_get_issuer(crl.get())) != 0) continue;
      is_ours = true;  // a name may have two keys, while the one replaces the other
      if (X509_CRL_verify(crl.get(), X509_get0_pubkey(one)) != 1) continue;
      is_signed = true;
      covered.insert(one);
    }
    ERR_clear_error();
    if (is_ours && !is_signed) {
      return fail_at(file, fmt::format("holds a list that {} has not signed", who));
    }
    if (X509_STORE_add_crl(store_.get(), crl.get()) != 1) {
      return fail_at(file, last_openssl_reason());
    }
    good_until_ = std::min(good_until_, wall_time(until));
  }
  for (int i = 0; i < sk_X509_num(authorities_.get()); ++i) {
    const X509* const one = sk_X509_value(authorities_.get(), i);
    if (covered.contains(one)) continue;
    return fail_at(file, fmt::format("holds no list of {}, whose certificates would all be refused",
                                     quoted(X509_get_subject_name(one))));
  }
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

TlsFault ClientTrust::verify(const PeerCertificate& certificate, WallTime now) const noexcept {
  const Openssl<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!context ||
      X509_STORE_CTX_init(context.get(), store_.get(), certificate.leaf(), certificate.chain()) !=
          1 ||
      X509_STORE_CTX_set_default(context.get(), "ssl_client") != 1) {
    ERR_clear_error();
    return TlsFault::no_room;
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_depth(rules, client_chain_certificates_max);
  X509_VERIFY_PARAM_set_auth_level(rules, tls_security_level);
  X509_VERIFY_PARAM_set_time(rules, now.ns / seconds(1).ns);
  const bool holds = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return holds ? TlsFault::none : fault_of_verdict(X509_STORE_CTX_get_error(context.get()));
}

}  // namespace sluice::dataplane
