#include "dataplane/tls/openssl.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace sluice::dataplane {

void OpensslDelete::operator()(SSL* ssl) const noexcept {
  SSL_free(ssl);
}
void OpensslDelete::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}
void OpensslDelete::operator()(X509* certificate) const noexcept {
  X509_free(certificate);
}
void OpensslDelete::operator()(X509_CRL* list) const noexcept {
  X509_CRL_free(list);
}
void OpensslDelete::operator()(X509_STORE_CTX* context) const noexcept {
  X509_STORE_CTX_free(context);
}
void OpensslDelete::operator()(X509_STORE* store) const noexcept {
  X509_STORE_free(store);
}
void OpensslDelete::operator()(EVP_PKEY* key) const noexcept {
  EVP_PKEY_free(key);
}
void OpensslDelete::operator()(STACK_OF(X509) * chain) const noexcept {
  sk_X509_pop_free(chain, X509_free);
}
void OpensslDelete::operator()(BIO* bio) const noexcept {
  BIO_free(bio);
}

}  // namespace sluice::dataplane
