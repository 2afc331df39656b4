#include "load/body_digest.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace sluice::load {

BodyDigest::BodyDigest() : context_(EVP_MD_CTX_new()) {
  ASSERT(context_ != nullptr);
}

void BodyDigest::start() noexcept {
  ASSERT(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void BodyDigest::on_bytes(ByteView in) noexcept {
  ASSERT(EVP_DigestUpdate(context_.get(), in.data(), in.size()) == 1);
}

BodyDigest::Value BodyDigest::finish() noexcept {
  Value value;
  ASSERT(EVP_DigestFinal_ex(context_.get(), value.data(), nullptr) == 1);
  return value;
}

void BodyDigest::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

}  // namespace sluice::load
