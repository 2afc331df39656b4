#include "identity/gateway_tokens.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/text_codec.h"
#include "identity/secret_hash.h"
#include "identity/token_claims.h"

namespace sluice::identity {
namespace {

using Json = nlohmann::ordered_json;
using Key = std::shared_ptr<EVP_PKEY>;
using File = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr std::size_t ed25519_bytes = 32;
constexpr std::size_t signature_bytes = 64;

/// Who would ask for a passphrase is told that there is none.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<Key> read_key(std::string_view pem, bool may_be_public) {
  const File file(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  EVP_PKEY* key = nullptr;
  if (file) key = PEM_read_bio_PrivateKey(file.get(), nullptr, &no_passphrase, nullptr);
  if (key == nullptr && may_be_public && file && BIO_reset(file.get()) == 1) {
    key = PEM_read_bio_PUBKEY(file.get(), nullptr, &no_passphrase, nullptr);
  }
  ERR_clear_error();
  if (key == nullptr) return fail("it is no key as PEM without a passphrase");
  Key owned(key, &EVP_PKEY_free);
  if (EVP_PKEY_is_a(key, "ED25519") != 1) return fail("it is no Ed25519 key");
  return owned;
}

/// RFC 7638 §3 and RFC 8037 §2: the digest of what must be there of the public key, in order.
std::string thumbprint(const Key& key) {
  std::array<std::uint8_t, ed25519_bytes> bytes{};
  std::size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size) != 1) return {};
  const auto digest =
      sha256(fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", to_base64url(bytes)));
  return digest ? to_base64url(*digest) : std::string();
}

Jwk proving_half(Key key) {
  Jwk jwk;
  jwk.id = thumbprint(key);
  jwk.algorithms.set(static_cast<std::size_t>(config::JwsAlgorithm::eddsa));
  jwk.key = std::move(key);
  return jwk;
}

Json claims_of(const TokenOrder& order) {
  constexpr std::int64_t ns_per_second = 1'000'000'000;
  const config::Principal& who = order.principal;
  Json claims{
      {"iss", gateway_issuer},
      {"aud", order.target.empty() ? std::string(gateway_issuer)
                                   : fmt::format("{}{}", target_audience_prefix, order.target)},
      {"sub", who.subject},
      {"idp", who.issuer},
      {"groups", who.groups},
      {"iat", order.issued.ns / ns_per_second},
      {"exp", order.expires.ns / ns_per_second},
      {"jti", order.id}};
  Json* within = &claims;
  for (const config::Actor& actor : who.actors) {
    (*within)["act"] = {{"sub", actor.subject}, {"iss", actor.issuer}};
    within = &(*within)["act"];
  }
  return claims;
}

/// Nothing: a text in it is not UTF-8.
std::optional<std::string> part_of(const Json& object) {
  try {
    return to_base64url(as_bytes(object.dump()));
  } catch (const Json::type_error&) {
    return std::nullopt;
  }
}

std::optional<std::vector<std::uint8_t>> sign(const Key& key, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  std::vector<std::uint8_t> signature(signature_bytes);
  std::size_t size = signature.size();
  const bool is_signed =
      context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestSign(context.get(), signature.data(), &size, as_bytes(text).data(), text.size()) ==
          1;
  if (is_signed) return signature;
  ERR_clear_error();
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const GatewayTokenKeys>> GatewayTokenKeys::read(std::string_view key,
                                                                       std::string_view previous) {
  auto signing = read_key(key, false);
  if (!signing) return fail(fmt::format("key: {}", signing.error().message));
  auto keys = std::shared_ptr<GatewayTokenKeys>(new GatewayTokenKeys());
  auto set = std::make_shared<JwkSet>();
  set->keys.push_back(proving_half(*signing));
  if (!previous.empty()) {
    auto other = read_key(previous, true);
    if (!other) return fail(fmt::format("previous_key: {}", other.error().message));
    // The same key twice would be ambiguous, and is no rotation.
    if (is_same_key(**signing, **other)) return fail("previous_key: it is the same as key");
    set->keys.push_back(proving_half(std::move(*other)));
  }
  for (const Jwk& one : set->keys) {
    if (one.id.empty()) return fail("OpenSSL failed");
  }
  keys->key_ = std::move(*signing);
  keys->proving_ = {std::string(gateway_issuer), std::move(set), WallTime{INT64_MAX}, 0, {}};
  return std::shared_ptr<const GatewayTokenKeys>(std::move(keys));
}

Result<std::string> GatewayTokenKeys::mint(const TokenOrder& order) const {
  const Json header{
      {"alg", "EdDSA"}, {"typ", gateway_token_type}, {"kid", proving_.keys->keys.front().id}};
  const auto claims = part_of(claims_of(order));
  if (!claims) return fail("the subject, a group or an actor is not UTF-8");
  std::string token = part_of(header).value() + '.' + *claims;
  const auto signature = sign(key_, token);
  if (!signature) return fail("OpenSSL failed");
  token += '.' + to_base64url(*signature);
  if (token.size() > token_bytes_max) {
    return fail(
        fmt::format("the token would be larger than {} bytes: the subject has too many "
                    "groups",
                    token_bytes_max));
  }
  return token;
}

Result<std::string> make_token_key() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new(BIO_s_secmem()), &BIO_free);
  const bool is_made = key && file &&
                       PEM_write_bio_PKCS8PrivateKey(file.get(), key.get(), nullptr, nullptr, 0,
                                                     nullptr, nullptr) == 1;
  char* text = nullptr;
  const long size = is_made ? BIO_get_mem_data(file.get(), &text) : 0;
  if (size <= 0) {
    ERR_clear_error();
    return fail("OpenSSL failed");
  }
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace sluice::identity
