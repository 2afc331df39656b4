#include "token_maker.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "base/text_codec.h"

namespace sluice::test {
namespace {

using config::JwsAlgorithm;
using Kind = ProviderKey::Kind;

void check(bool holds) {
  if (!holds) throw std::runtime_error("OpenSSL failed");
}

EVP_PKEY* generate(Kind kind) {
  switch (kind) {
    case Kind::rsa_1024:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024});
    case Kind::rsa_2048:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048});
    case Kind::p256:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    case Kind::p384:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
    case Kind::p521:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521");
    case Kind::ed25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

std::string number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  check(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, bytes.data());
  BN_free(value);
  return to_base64url(bytes);
}

const EVP_MD* digest_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::rs256:
    case JwsAlgorithm::ps256:
    case JwsAlgorithm::es256:
      return EVP_sha256();
    case JwsAlgorithm::rs384:
    case JwsAlgorithm::ps384:
    case JwsAlgorithm::es384:
      return EVP_sha384();
    case JwsAlgorithm::rs512:
    case JwsAlgorithm::ps512:
    case JwsAlgorithm::es512:
      return EVP_sha512();
    case JwsAlgorithm::eddsa:
      return nullptr;
  }
  return nullptr;
}

bool is_pss(JwsAlgorithm algorithm) {
  return algorithm == JwsAlgorithm::ps256 || algorithm == JwsAlgorithm::ps384 ||
         algorithm == JwsAlgorithm::ps512;
}

std::string raw_of(const std::string& der, int integer_bytes) {
  const auto* at = as_bytes(der).data();
  ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  check(pair != nullptr);
  std::vector<std::uint8_t> raw(static_cast<std::size_t>(2 * integer_bytes));
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw.data(), integer_bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw.data() + integer_bytes, integer_bytes);
  ECDSA_SIG_free(pair);
  return std::string(as_text(raw));
}

}  // namespace

ProviderKey::ProviderKey(Kind kind) : kind_(kind), key_(generate(kind), &EVP_PKEY_free) {
  check(key_ != nullptr);
}

std::string ProviderKey::jwk(std::string_view id, std::string_view more) const {
  const auto named = [&](std::string_view members) {
    return fmt::format(R"({{{},"kid":"{}"{}}})", members, id, more);
  };
  if (kind_ == Kind::rsa_1024 || kind_ == Kind::rsa_2048) {
    return named(fmt::format(R"("kty":"RSA","n":"{}","e":"{}")",
                             number(key_.get(), OSSL_PKEY_PARAM_RSA_N),
                             number(key_.get(), OSSL_PKEY_PARAM_RSA_E)));
  }
  std::array<std::uint8_t, 200> bytes{};
  std::size_t size = bytes.size();
  if (kind_ == Kind::ed25519) {
    check(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size) == 1);
    return named(fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")",
                             to_base64url(ByteView(bytes).first(size))));
  }
  check(EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, bytes.data(),
                                        bytes.size(), &size) == 1);
  const ByteView point = ByteView(bytes).first(size).subspan(1);
  const char* const curve = kind_ == Kind::p256 ? "P-256" : kind_ == Kind::p384 ? "P-384" : "P-521";
  return named(fmt::format(R"("kty":"EC","crv":"{}","x":"{}","y":"{}")", curve,
                           to_base64url(point.first(point.size() / 2)),
                           to_base64url(point.subspan(point.size() / 2))));
}

std::string ProviderKey::sign(JwsAlgorithm algorithm, std::string_view text, int salt_bytes) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  check(EVP_DigestSignInit(context.get(), &parameters, digest_of(algorithm), nullptr, key_.get()) ==
        1);
  if (is_pss(algorithm)) {
    check(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    check(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_bytes) == 1);
  }
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  auto* const room = reinterpret_cast<std::uint8_t*>(signature.data());
  check(EVP_DigestSign(context.get(), room, &size, as_bytes(text).data(), text.size()) == 1);
  signature.resize(size);
  switch (kind_) {
    case Kind::p256:
      return raw_of(signature, 32);
    case Kind::p384:
      return raw_of(signature, 48);
    case Kind::p521:
      return raw_of(signature, 66);
    default:
      return signature;
  }
}

std::string ProviderKey::public_der() const {
  std::uint8_t* bytes = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &bytes);
  check(size > 0);
  std::string der(as_text({bytes, static_cast<std::size_t>(size)}));
  OPENSSL_free(bytes);
  return der;
}

std::string signed_text(std::string_view header, std::string_view payload) {
  return to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(payload));
}

std::string make_token(const ProviderKey& key, JwsAlgorithm algorithm, std::string_view header,
                       std::string_view payload) {
  const std::string text = signed_text(header, payload);
  return text + "." + to_base64url(as_bytes(key.sign(algorithm, text)));
}

std::string key_set(std::initializer_list<std::string> keys) {
  return fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","));
}

}  // namespace sluice::test
