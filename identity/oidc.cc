#include "identity/oidc.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/text_codec.h"
#include "identity/json_value.h"
#include "identity/token_claims.h"

namespace sluice::identity {
namespace {

using config::JwsAlgorithm;
using Kind = JsonValue::Kind;

/// A part of a token that cannot be one.
TokenFault fault_of(JsonFault fault) noexcept {
  switch (fault) {
    case JsonFault::malformed:
      return TokenFault::bad_json;
    case JsonFault::repeated_member:
      return TokenFault::repeated_member;
    case JsonFault::too_large:
      return TokenFault::too_complex;
  }
  return TokenFault::bad_json;
}

/// RFC 7515 §3.1, the parts of a compact serialisation, as they stand.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  ///< The first two, with the dot.
};

TokenFault split(std::string_view token, Parts& parts) noexcept {
  if (token.size() > token_bytes_max) return TokenFault::too_large;
  constexpr std::ptrdiff_t dots_of_jwe = 4;
  const auto dots = std::ranges::count(token, '.');
  if (dots == dots_of_jwe) return TokenFault::encrypted;
  if (dots != 2) return TokenFault::not_compact;
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  parts = {token.substr(0, first), token.substr(first + 1, second - first - 1),
           token.substr(second + 1), token.substr(0, second)};
  return parts.header.empty() || parts.payload.empty() ? TokenFault::not_compact : TokenFault::none;
}

Result<JsonValue, TokenFault> read_part(std::string_view part) {
  const auto bytes = from_base64url(part);
  if (!bytes) return tl::unexpected(TokenFault::bad_base64);
  auto object = read_json_object(as_text(*bytes), {});
  if (!object) return tl::unexpected(fault_of(object.error()));
  return std::move(*object);
}

struct Header {
  JwsAlgorithm algorithm = JwsAlgorithm::rs256;
  std::string key_id;  ///< Empty: it names none.
  bool is_typed = false;
};

/// Media types have no case, and "application/" may be left out (RFC 7515 §4.1.9).
bool is_accepted_type(std::string_view type) {
  std::string lower = in_lower_case(type);
  constexpr std::string_view prefix = "application/";
  if (lower.starts_with(prefix)) lower.erase(0, prefix.size());
  return lower == "jwt" || lower == "at+jwt";
}

TokenFault read_algorithm(const JsonValue& object, JwsAlgorithm& algorithm) {
  const std::string* const name = object.find_text("alg");
  if (name == nullptr) return TokenFault::no_algorithm;
  if (in_lower_case(*name) == "none") return TokenFault::unsigned_token;
  if (name->starts_with("HS")) return TokenFault::symmetric_algorithm;
  const auto known = config::jws_algorithm(*name);
  if (!known) return TokenFault::unknown_algorithm;
  algorithm = *known;
  return TokenFault::none;
}

TokenFault read_header(const JsonValue& object, Header& header) {
  // RFC 8725 §3.10: what brings its own key, or sends us for one, proves nothing.
  for (const std::string_view name : {"jwk", "jku", "x5c", "x5u"}) {
    if (object.find(name) != nullptr) return TokenFault::embedded_key;
  }
  if (object.find("crit") != nullptr || object.find("b64") != nullptr) {
    return TokenFault::critical_header;
  }
  if (object.find("enc") != nullptr || object.find("zip") != nullptr) return TokenFault::encrypted;
  if (object.find("cty") != nullptr) return TokenFault::nested_token;
  if (const TokenFault fault = read_algorithm(object, header.algorithm);
      fault != TokenFault::none) {
    return fault;
  }
  if (const JsonValue* const type = object.find("typ")) {
    if (type->kind != Kind::text || !is_accepted_type(type->text)) return TokenFault::wrong_type;
    header.is_typed = true;
  }
  if (const JsonValue* const id = object.find("kid")) {
    const bool is_good =
        id->kind == Kind::text && !id->text.empty() && id->text.size() <= key_id_bytes_max;
    if (!is_good) return TokenFault::bad_key_id;
    header.key_id = id->text;
  }
  return TokenFault::none;
}

TokenFault find_issuer(const JsonValue& claims, std::span<const config::OidcIssuer> issuers,
                       const config::OidcIssuer*& issuer) {
  const std::string* const name = claims.find_text("iss");
  if (name == nullptr) return TokenFault::no_issuer;
  const auto found = std::ranges::find(issuers, *name, &config::OidcIssuer::issuer);
  if (found == issuers.end()) return TokenFault::unknown_issuer;
  issuer = &*found;
  return TokenFault::none;
}

bool is_allowed(JwsAlgorithm algorithm, const config::OidcIssuer& issuer) {
  const std::string_view name = config::jws_algorithm_names[static_cast<std::size_t>(algorithm)];
  return issuer.algorithms.empty() ||
         std::ranges::find(issuer.algorithms, name) != issuer.algorithms.end();
}

/// The one key that the header means. A header without a key id means the only one that fits.
TokenFault find_key(const JwkSet& set, const Header& header, const Jwk*& key) {
  bool is_known = header.key_id.empty();
  for (const Jwk& one : set.keys) {
    if (!header.key_id.empty() && one.id != header.key_id) continue;
    is_known = true;
    if (!one.algorithms.test(static_cast<std::size_t>(header.algorithm))) continue;
    if (key != nullptr) return TokenFault::ambiguous_key;
    key = &one;
  }
  if (!is_known) return TokenFault::unknown_key;
  return key == nullptr ? TokenFault::unfit_key : TokenFault::none;
}

TokenFault check_signature(const Parts& parts, const Header& header, const IssuerKeys* keys,
                           WallTime now, const Jwk*& key) {
  if (keys == nullptr || !keys->keys) return TokenFault::no_keys;
  if (now >= keys->good_until) return TokenFault::keys_too_old;
  const TokenFault fault = find_key(*keys->keys, header, key);
  if (fault != TokenFault::none) return fault;
  const auto signature = from_base64url(parts.signature);
  if (!signature) return TokenFault::bad_base64;
  return verify_signature(*key, header.algorithm, parts.signed_text, *signature)
             ? TokenFault::none
             : TokenFault::bad_signature;
}

/// Whether a token that one takes is taken by the other, for the same principal.
bool proves_alike(const config::OidcIssuer& one, const config::OidcIssuer& other) {
  return one.name == other.name && one.audience == other.audience &&
         one.algorithms == other.algorithms && one.untyped == other.untyped &&
         one.subject_claim == other.subject_claim && one.groups_claim == other.groups_claim &&
         one.prefix == other.prefix && one.authorized_parties == other.authorized_parties;
}

}  // namespace

const IssuerKeys* TokenKeys::find(std::string_view issuer) const noexcept {
  const auto found = std::ranges::find(issuers, issuer, &IssuerKeys::issuer);
  return found == issuers.end() ? nullptr : &*found;
}

TokenVerdict verify_token(std::string_view token, std::span<const config::OidcIssuer> issuers,
                          const TokenKeys& keys, WallTime now) {
  TokenVerdict verdict;
  const auto failed = [&verdict](TokenFault fault) {
    verdict.fault = fault;
    return fault != TokenFault::none;
  };
  Parts parts;
  if (failed(split(token, parts))) return verdict;
  const auto header_object = read_part(parts.header);
  if (!header_object && failed(header_object.error())) return verdict;
  Header header;
  if (failed(read_header(*header_object, header))) return verdict;
  const auto claims = read_part(parts.payload);
  if (!claims && failed(claims.error())) return verdict;

  if (failed(find_issuer(*claims, issuers, verdict.issuer))) return verdict;
  const config::OidcIssuer& issuer = *verdict.issuer;
  if (!header.is_typed && !issuer.untyped && failed(TokenFault::wrong_type)) return verdict;
  if (!is_allowed(header.algorithm, issuer) && failed(TokenFault::algorithm_not_allowed)) {
    return verdict;
  }
  const IssuerKeys* const own = keys.find(issuer.issuer);
  const Jwk* key = nullptr;
  if (failed(check_signature(parts, header, own, now, key))) return verdict;
  config::Principal principal;
  if (failed(read_claims(*claims, issuer, token, now, principal))) return verdict;
  principal.expires = std::min(principal.expires, own->good_until);
  verdict.principal = std::move(principal);
  verdict.key = key->key;
  return verdict;
}

bool still_holds(const TokenGrounds& grounds, std::span<const config::OidcIssuer> issuers,
                 const TokenKeys& keys) {
  const auto issuer =
      std::ranges::find(issuers, grounds.issuer.issuer, &config::OidcIssuer::issuer);
  if (issuer == issuers.end() || !proves_alike(*issuer, grounds.issuer)) return false;
  const IssuerKeys* const own = keys.find(issuer->issuer);
  return own != nullptr && own->keys &&
         std::ranges::any_of(own->keys->keys, [&grounds](const Jwk& one) {
           return is_same_key(*one.key, *grounds.key);
         });
}

}  // namespace sluice::identity
