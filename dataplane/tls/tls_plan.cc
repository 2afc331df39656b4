#include "dataplane/tls/tls_plan.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <utility>

#include "base/assert.h"
#include "dataplane/tls/pem.h"
#include "dataplane/tls/tls_context.h"

namespace sluice::dataplane {
namespace {

Result<TlsCertificate> read_pair(const config::FileText& certificate,
                                 const config::FileText& key_file) {
  auto certificates = read_certificates(certificate);
  if (!certificates) return tl::unexpected(certificates.error());
  auto key = read_private_key(key_file);
  if (!key) return tl::unexpected(key.error());

  TlsCertificate whole;
  whole.leaf = std::move(certificates->front());
  whole.key = std::move(*key);
  whole.chain.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    if (sk_X509_push(whole.chain.get(), (*certificates)[i].get()) == 0) {
      return fail_at(certificate, "does not fit into memory");
    }
    static_cast<void>((*certificates)[i].release());
  }
  if (X509_check_private_key(whole.leaf.get(), whole.key.get()) != 1) {
    ERR_clear_error();
    return fail_at(key_file,
                   fmt::format("is not the key of the certificate in '{}'", certificate.path));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(whole.leaf.get())) > 0) {
    return fail_at(certificate, "holds a certificate that is not valid yet");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(whole.leaf.get())) < 0) {
    return fail_at(certificate, "holds a certificate that has expired");
  }
  return whole;
}

Result<std::shared_ptr<X509_STORE>> make_store(const config::FileText& ca) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), OpensslDelete());
  if (!store) return fail("no memory for certificates");
  if (ca.path.empty()) {
    if (X509_STORE_set_default_paths(store.get()) == 1) return store;
    return fail("the system's certificates cannot be read: " + last_openssl_reason());
  }
  const auto certificates = read_certificates(ca);
  if (!certificates) return tl::unexpected(certificates.error());
  for (const auto& one : *certificates) {
    if (X509_STORE_add_cert(store.get(), one.get()) != 1) return fail_at(ca, last_openssl_reason());
  }
  return store;
}

}  // namespace

Result<std::shared_ptr<const TlsServerPlan>> plan_tls(const config::ListenerTls& settings,
                                                      config::Protocol protocol,
                                                      std::shared_ptr<const ClientTrust> clients) {
  auto plan = std::make_shared<TlsServerPlan>();
  plan->protocol = protocol;
  std::string read(alpn_of(protocol));
  const auto add = [&](const config::FileText& certificate, const config::FileText& key,
                       const config::FileText& ocsp) -> Result<void> {
    auto pair = read_pair(certificate, key);
    if (!pair) return tl::unexpected(pair.error());
    if (!ocsp.path.empty()) {
      auto staple = read_staple(ocsp, pair->leaf.get(), pair->chain.get());
      if (!staple) return tl::unexpected(staple.error());
      pair->staple = std::move(*staple);
    }
    plan->certificates.push_back(std::move(*pair));
    read += certificate.text + '\0' + key.text + '\0' + ocsp.text + '\0';
    return {};
  };
  if (auto done = add(settings.certificate, settings.key, settings.ocsp); !done) {
    return tl::unexpected(done.error());
  }
  for (const auto& [certificate, key, ocsp] : settings.by_name) {
    if (auto done = add(certificate, key, ocsp); !done) return tl::unexpected(done.error());
  }
  if (settings.client_certificate != config::ClientCertificate::off) {
    ASSERT(clients != nullptr);  // the loader has seen to it
    plan->requires_certificate = settings.client_certificate == config::ClientCertificate::required;
    plan->clients = std::move(clients);
    read += plan->requires_certificate ? "required" : "optional";
    read += as_text(plan->clients->digest());
  }
  plan->digest = audit::sha256(as_bytes(read));
  // What OpenSSL refuses only now, such as a short key, is refused here and not by a worker.
  if (auto context = TlsContext::make(plan); !context) {
    return fail_at(settings.certificate, "cannot be used: " + context.error().message);
  }
  return plan;
}

Result<std::shared_ptr<const TlsClientPlan>> plan_tls(
    const config::TargetTls& settings, const std::vector<config::SocketAddress>& addresses,
    config::Protocol protocol) {
  auto plan = std::make_shared<TlsClientPlan>();
  plan->protocol = protocol;
  std::string read(alpn_of(protocol));
  read += settings.verify == config::TlsVerify::full ? " full" : " none";
  for (const auto& address : addresses) {
    const std::string& own = address.name.empty() ? address.host : address.name;
    plan->names.push_back(settings.name.empty() ? own : settings.name);
    read += '\0' + plan->names.back();
  }
  if (settings.verify == config::TlsVerify::full) {
    auto store = make_store(settings.ca);
    if (!store) return tl::unexpected(store.error());
    plan->trusted = std::move(*store);
    read += '\0' + settings.ca.text;
  }
  for (const std::string& pin : settings.pins) {
    const auto parsed = config::parse_public_key_pin(pin);
    ASSERT(parsed.has_value());  // the loader has seen to it
    plan->pins.push_back(*parsed);
    read += '\0' + pin;
  }
  if (!settings.certificate.path.empty()) {
    auto pair = read_pair(settings.certificate, settings.key);
    if (!pair) return tl::unexpected(pair.error());
    plan->certificate = std::move(*pair);
    read += '\0' + settings.certificate.text + '\0' + settings.key.text;
  }
  plan->digest = audit::sha256(as_bytes(read));
  if (auto context = TlsContext::make(plan); !context) {
    if (!plan->certificate) return tl::unexpected(context.error());
    return fail_at(settings.certificate, "cannot be used: " + context.error().message);
  }
  return plan;
}

}  // namespace sluice::dataplane
