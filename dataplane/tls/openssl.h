// Owners of OpenSSL's objects.
#pragma once

#include <openssl/types.h>

#include <memory>

struct stack_st_X509;  // else the macro would name one of this namespace

namespace sluice::dataplane {

struct OpensslDelete {
  void operator()(SSL* ssl) const noexcept;
  void operator()(SSL_CTX* context) const noexcept;
  void operator()(X509* certificate) const noexcept;
  void operator()(X509_CRL* list) const noexcept;
  void operator()(X509_STORE* store) const noexcept;
  void operator()(X509_STORE_CTX* context) const noexcept;
  void operator()(EVP_PKEY* key) const noexcept;
  void operator()(STACK_OF(X509) * chain) const noexcept;  ///< And what is in it.
  void operator()(BIO* bio) const noexcept;
};

template <class T>
using Openssl = std::unique_ptr<T, OpensslDelete>;

}  // namespace sluice::dataplane
