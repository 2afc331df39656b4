#include "identity/jwk_set.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/text_codec.h"
#include "identity/json_value.h"
#include "identity/jwk.h"

namespace sluice::identity {
namespace {

using config::JwsAlgorithm;
using Key = std::shared_ptr<EVP_PKEY>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

// NIST SP 800-131A: shorter ones are no longer acceptable. The greatest bounds what a
// verification costs.
constexpr int modulus_bits_min = 2048;
constexpr int modulus_bits_max = 8192;
// FIPS 186-5 §5.1, and at most what OpenSSL takes for large moduli.
constexpr int exponent_bits_min = 17;
constexpr int exponent_bits_max = 64;
constexpr std::size_t ed25519_key_bytes = 32;

struct Curve {
  std::string_view name;  ///< RFC 7518 §6.2.1.1
  const char* group;      ///< OpenSSL's name.
  std::size_t coordinate_bytes;
  JwsAlgorithm algorithm;
};
constexpr std::array<Curve, 3> curves{{{"P-256", "P-256", 32, JwsAlgorithm::es256},
                                       {"P-384", "P-384", 48, JwsAlgorithm::es384},
                                       {"P-521", "P-521", 66, JwsAlgorithm::es512}}};

/// A key and what its type and curve make it good for; or why it is none.
struct Made {
  Key key;
  std::bitset<config::jws_algorithm_names.size()> algorithms;
  std::string_view fault;
};
Made faulty(std::string_view why) {
  return {nullptr, {}, why};
}

Number number_of(const std::vector<std::uint8_t>& bytes) {
  return {BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), &BN_free};
}

std::optional<std::vector<std::uint8_t>> bytes_of(const JsonValue& jwk, std::string_view member) {
  const std::string* const text = jwk.find_text(member);
  if (text == nullptr || text->empty()) return std::nullopt;
  return from_base64url(*text);
}

Key key_from(const char* type, OSSL_PARAM_BLD* parameters) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> built(
      OSSL_PARAM_BLD_to_param(parameters), &OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (!built || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, built.get()) != 1) {
    return nullptr;
  }
  return {key, &EVP_PKEY_free};
}

using Parameters = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;

Made make_rsa(const JsonValue& jwk) {
  const auto modulus = bytes_of(jwk, "n");
  const auto exponent = bytes_of(jwk, "e");
  if (!modulus || !exponent) return faulty("an RSA key without good 'n' and 'e'");
  if (modulus->size() > modulus_bits_max / 8 + 1 || exponent->size() > exponent_bits_max / 8 + 1) {
    return faulty("an RSA key that is too large");
  }
  const Number n = number_of(*modulus);
  const Number e = number_of(*exponent);
  if (!n || !e) return faulty("no memory");
  if (BN_num_bits(n.get()) < modulus_bits_min) return faulty("an RSA key below 2048 bits");
  if (BN_num_bits(n.get()) > modulus_bits_max || BN_num_bits(e.get()) > exponent_bits_max) {
    return faulty("an RSA key that is too large");
  }
  if (BN_is_odd(n.get()) == 0) return faulty("an RSA key with an even modulus");
  if (BN_num_bits(e.get()) < exponent_bits_min || BN_is_odd(e.get()) == 0) {
    return faulty("an RSA key with an exponent that is even or below 65537");
  }
  const Parameters parameters(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  if (!parameters ||
      OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return faulty("no memory");
  }
  Made made{key_from("RSA", parameters.get()), {}, {}};
  if (!made.key) return faulty("an RSA key that OpenSSL refuses");
  for (const JwsAlgorithm one : {JwsAlgorithm::rs256, JwsAlgorithm::rs384, JwsAlgorithm::rs512,
                                 JwsAlgorithm::ps256, JwsAlgorithm::ps384, JwsAlgorithm::ps512}) {
    made.algorithms.set(static_cast<std::size_t>(one));
  }
  return made;
}

Made make_ec(const JsonValue& jwk) {
  const std::string* const name = jwk.find_text("crv");
  const auto* const curve =
      name == nullptr ? curves.end() : std::ranges::find(curves, *name, &Curve::name);
  if (curve == curves.end()) return faulty("an EC key on an unknown curve");
  const auto x = bytes_of(jwk, "x");
  const auto y = bytes_of(jwk, "y");
  // RFC 7518 §6.2.1.2: a coordinate is as long as the field, with its leading zeros.
  if (!x || !y || x->size() != curve->coordinate_bytes || y->size() != curve->coordinate_bytes) {
    return faulty("an EC key without good 'x' and 'y'");
  }
  std::vector<std::uint8_t> point{POINT_CONVERSION_UNCOMPRESSED};
  point.insert(point.end(), x->begin(), x->end());
  point.insert(point.end(), y->begin(), y->end());
  const Parameters parameters(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  if (!parameters ||
      OSSL_PARAM_BLD_push_utf8_string(parameters.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group,
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(parameters.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return faulty("no memory");
  }
  // OpenSSL takes no point that is not on its curve.
  Made made{key_from("EC", parameters.get()), {}, {}};
  if (!made.key) return faulty("an EC key that is not a point of its curve");
  made.algorithms.set(static_cast<std::size_t>(curve->algorithm));
  return made;
}

Made make_okp(const JsonValue& jwk) {
  const std::string* const curve = jwk.find_text("crv");
  if (curve == nullptr || *curve != "Ed25519") return faulty("an OKP key on an unknown curve");
  const auto x = bytes_of(jwk, "x");
  if (!x || x->size() != ed25519_key_bytes) return faulty("an OKP key without a good 'x'");
  Made made{{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, x->data(), x->size()),
             &EVP_PKEY_free},
            {},
            {}};
  if (!made.key) return faulty("an OKP key that OpenSSL refuses");
  made.algorithms.set(static_cast<std::size_t>(JwsAlgorithm::eddsa));
  return made;
}

bool has_text(const JsonValue& list, std::string_view wanted) {
  return std::ranges::any_of(list.items, [wanted](const JsonValue& item) {
    return item.kind == JsonValue::Kind::text && item.text == wanted;
  });
}

/// RFC 7517 §4.2, §4.3: what a key says that it is for.
bool is_for_verifying(const JsonValue& jwk) {
  const JsonValue* const use = jwk.find("use");
  if (use != nullptr && use->text != "sig") return false;
  const JsonValue* const operations = jwk.find("key_ops");
  return operations == nullptr ||
         (operations->kind == JsonValue::Kind::array && has_text(*operations, "verify"));
}

Made make(const JsonValue& jwk) {
  const std::string* const type = jwk.find_text("kty");
  if (type == nullptr) return faulty("a key without 'kty'");
  if (*type == "oct") return faulty("a shared secret, which proves nothing to its other holders");
  // Whoever reads the set could sign with it.
  if (jwk.find("d") != nullptr) return faulty("a private key, published");
  if (!is_for_verifying(jwk)) return faulty("a key for another use");
  Made made = *type == "RSA"   ? make_rsa(jwk)
              : *type == "EC"  ? make_ec(jwk)
              : *type == "OKP" ? make_okp(jwk)
                               : faulty("a key of an unknown type");
  if (const JsonValue* const own = jwk.find("alg"); own != nullptr && made.key) {
    const auto algorithm = config::jws_algorithm(own->text);
    if (!algorithm || !made.algorithms.test(static_cast<std::size_t>(*algorithm))) {
      return faulty("a key whose 'alg' is unknown or not of its type");
    }
    made.algorithms.reset();
    made.algorithms.set(static_cast<std::size_t>(*algorithm));
  }
  return made;
}

}  // namespace

Result<Jwk, std::string_view> read_jwk(const JsonValue& jwk) {
  Made made = make(jwk);
  ERR_clear_error();
  if (!made.key) return tl::unexpected(made.fault);
  return Jwk{.id = {}, .algorithms = made.algorithms, .key = std::move(made.key)};
}

std::optional<Digest> jwk_thumbprint(const JsonValue& jwk) {
  // Of each type the members that are the key, in the order of their names.
  constexpr std::array<std::string_view, 3> rsa{"e", "kty", "n"};
  constexpr std::array<std::string_view, 4> curve{"crv", "kty", "x", "y"};
  const std::string* const type = jwk.find_text("kty");
  if (type == nullptr) return std::nullopt;
  std::span<const std::string_view> members = curve;
  if (*type == "RSA") members = rsa;
  if (*type == "OKP") members = members.first(3);
  std::string text;
  for (const std::string_view name : members) {
    const std::string* const value = jwk.find_text(name);
    if (value == nullptr) return std::nullopt;
    // Names of curves and types and base64url: nothing of it needs an escape.
    text += fmt::format("{}\"{}\":\"{}\"", text.empty() ? "{" : ",", name, *value);
  }
  return sha256(text + "}");
}

namespace {

void add(JwkSet& set, const JsonValue& jwk) {
  const std::string* const id = jwk.find_text("kid");
  const std::string shown = id == nullptr ? std::string() : id->substr(0, key_id_bytes_max);
  const bool has_bad_id = (id == nullptr && jwk.find("kid") != nullptr) ||
                          (id != nullptr && (id->empty() || id->size() > key_id_bytes_max));
  if (jwk.kind != JsonValue::Kind::object || has_bad_id) {
    set.skipped.push_back({shown, has_bad_id ? "a key with a bad 'kid'" : "not an object"});
    return;
  }
  auto key = read_jwk(jwk);
  if (key) {
    key->id = shown;
    set.keys.push_back(std::move(*key));
  } else {
    set.skipped.push_back({shown, key.error()});
  }
}

}  // namespace

Result<JwkSet> parse_jwk_set(std::string_view json) {
  constexpr JsonLimits limits{.depth_max = 8, .values_max = 8192, .members_max = 128};
  if (json.size() > jwk_set_bytes_max) return fail("the set of keys is larger than 256 KiB");
  const auto read = read_json_object(json, limits);
  const JsonValue* const keys = read ? read->find("keys") : nullptr;
  if (keys == nullptr || keys->kind != JsonValue::Kind::array) {
    return fail("not a JSON object with a list of 'keys'");
  }
  if (keys->items.size() > jwk_set_keys_max) {
    return fail(fmt::format("the set has {} keys; at most {} are taken", keys->items.size(),
                            jwk_set_keys_max));
  }
  JwkSet set;
  for (const JsonValue& jwk : keys->items) add(set, jwk);
  if (!set.keys.empty()) return set;
  std::string why = "no key of the set can prove a token";
  for (const SkippedJwk& one : set.skipped) why += fmt::format("; '{}' is {}", one.id, one.why);
  return fail(std::move(why));
}

}  // namespace sluice::identity
