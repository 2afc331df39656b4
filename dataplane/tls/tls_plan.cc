#include "dataplane/tls/tls_plan.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <utility>

#include "dataplane/tls/tls_context.h"

namespace sluice::dataplane {
namespace {

tl::unexpected<Error> fail_at(const config::FileText& file, std::string_view what) {
  return fail(fmt::format("{}:{}:{}: '{}' {}", file.place.file, file.place.line, file.place.column,
                          file.path, what));
}

std::string last_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL does not say why" : reason;
}

/// Keys with a passphrase cannot be read: there is nobody to ask for it.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// All of them, in order.
Result<std::vector<Openssl<X509>>> read_certificates(const config::FileText& file) {
  const Openssl<BIO> in(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())));
  std::vector<Openssl<X509>> certificates;
  while (X509* const one = PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr)) {
    certificates.emplace_back(one);
  }
  // The end of the file is where no more begins.
  const bool is_whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!is_whole) return fail_at(file, "holds a broken certificate: " + last_reason());
  ERR_clear_error();
  if (certificates.empty()) return fail_at(file, "holds no certificate (PEM)");
  return certificates;
}

Result<Openssl<EVP_PKEY>> read_key(const config::FileText& file) {
  const Openssl<BIO> in(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())));
  Openssl<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (key) return key;
  const bool is_encrypted = file.text.find("ENCRYPTED") != std::string::npos;
  return fail_at(file, is_encrypted ? "holds a key with a passphrase, which nobody could type here"
                                    : "holds no private key (PEM)");
}

Result<TlsCertificate> read_pair(const config::FileText& certificate,
                                 const config::FileText& key_file) {
  auto certificates = read_certificates(certificate);
  if (!certificates) return tl::unexpected(certificates.error());
  auto key = read_key(key_file);
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
    return fail("the system's certificates cannot be read: " + last_reason());
  }
  const auto certificates = read_certificates(ca);
  if (!certificates) return tl::unexpected(certificates.error());
  for (const auto& one : *certificates) {
    if (X509_STORE_add_cert(store.get(), one.get()) != 1) return fail_at(ca, last_reason());
  }
  return store;
}

}  // namespace

Result<std::shared_ptr<const TlsServerPlan>> plan_tls(const config::ListenerTls& settings,
                                                      config::Protocol protocol) {
  auto plan = std::make_shared<TlsServerPlan>();
  plan->protocol = protocol;
  std::string read(alpn_of(protocol));
  const auto add = [&](const config::FileText& certificate,
                       const config::FileText& key) -> Result<void> {
    auto pair = read_pair(certificate, key);
    if (!pair) return tl::unexpected(pair.error());
    plan->certificates.push_back(std::move(*pair));
    read += certificate.text + '\0' + key.text + '\0';
    return {};
  };
  if (auto done = add(settings.certificate, settings.key); !done) {
    return tl::unexpected(done.error());
  }
  for (const auto& [certificate, key] : settings.by_name) {
    if (auto done = add(certificate, key); !done) return tl::unexpected(done.error());
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
  plan->digest = audit::sha256(as_bytes(read));
  if (auto context = TlsContext::make(plan); !context) return tl::unexpected(context.error());
  return plan;
}

}  // namespace sluice::dataplane
