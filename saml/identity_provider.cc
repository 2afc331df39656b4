#include "saml/identity_provider.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/text_codec.h"

namespace sluice::saml {
namespace {

using config::JwsAlgorithm;

constexpr int rsa_bits_min = 2048;

struct Free {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

std::string group_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return {};
  return std::string(name.data(), size);
}

/// What a key is for; nothing: for nothing here.
std::bitset<config::jws_algorithm_names.size()> uses_of(const EVP_PKEY* key) {
  std::bitset<config::jws_algorithm_names.size()> uses;
  const auto use = [&uses](JwsAlgorithm algorithm) {
    uses.set(static_cast<std::size_t>(algorithm));
  };
  if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= rsa_bits_min) {
    use(JwsAlgorithm::rs256);
    use(JwsAlgorithm::rs384);
    use(JwsAlgorithm::rs512);
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    const std::string group = group_of(key);
    if (group == "prime256v1") use(JwsAlgorithm::es256);
    if (group == "secp384r1") use(JwsAlgorithm::es384);
  }
  return uses;
}

std::string der_of(const EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const int size = i2d_PUBKEY(key, &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

bool is_digest(std::string_view element, ByteView digest) {
  const char* const name = digest.size() == 32   ? "SHA256"
                           : digest.size() == 48 ? "SHA384"
                           : digest.size() == 64 ? "SHA512"
                                                 : nullptr;
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> own{};
  std::size_t size = 0;
  return name != nullptr &&
         EVP_Q_digest(nullptr, name, nullptr, element.data(), element.size(), own.data(), &size) ==
             1 &&
         std::ranges::equal(digest, ByteView(own).first(size));
}

/// What stands between the tags of the one DigestValue. The octets were signed, so that whoever
/// wrote that is the provider; they are canonical, so that each tag has one spelling.
std::optional<std::vector<std::uint8_t>> digest_in(std::string_view signed_info) {
  constexpr std::string_view tag = "DigestValue>";
  const std::size_t opened = signed_info.find(tag);
  if (opened == signed_info.npos) return std::nullopt;
  const std::size_t begin = opened + tag.size();
  const std::size_t end = signed_info.find('<', begin);
  const std::size_t closed = signed_info.find(tag, begin);
  if (end == signed_info.npos || closed == signed_info.npos ||
      signed_info.find(tag, closed + tag.size()) != signed_info.npos) {
    return std::nullopt;
  }
  std::string text(signed_info.substr(begin, end - begin));
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\n'; });
  return from_base64(text);
}

}  // namespace

Result<ProviderKeys> ProviderKeys::read(std::string_view pem) {
  ProviderKeys out;
  if (pem.size() > INT_MAX) return fail("the file is too large");
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  for (;;) {
    const std::unique_ptr<X509, Free> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    identity::Jwk key;
    key.key = {X509_get_pubkey(certificate.get()), EVP_PKEY_free};
    if (key.key) key.algorithms = uses_of(key.key.get());
    if (key.algorithms.none()) {
      return fail(fmt::format("the key of certificate {} is not RSA from 2048 bits, P-256 or P-384",
                              out.keys_.size() + 1));
    }
    out.der_.push_back(der_of(key.key.get()));
    out.keys_.push_back(std::move(key));
  }
  const auto last = ERR_peek_last_error();
  const bool is_at_end = ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.keys_.empty() || !is_at_end) return fail("it does not hold certificates as PEM alone");
  if (out.keys_.size() > provider_keys_max) {
    return fail(fmt::format("there are more than {} certificates", provider_keys_max));
  }
  return out;
}

Fault ProviderKeys::check(const SignedElement& element) const {
  bool is_fit = false;
  bool holds = false;
  for (const identity::Jwk& key : keys_) {
    if (!key.algorithms.test(static_cast<std::size_t>(element.algorithm))) continue;
    is_fit = true;
    holds = holds || identity::verify_signature(key, element.algorithm, element.signed_info,
                                                as_bytes(element.signature));
  }
  if (!is_fit) return Fault::wrong_signature;
  if (!holds) return Fault::reader_contradicted;
  const auto digest = digest_in(element.signed_info);
  return digest && is_digest(element.element, *digest) ? Fault::none : Fault::reader_contradicted;
}

}  // namespace sluice::saml
