#include "identity/oidc.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text_codec.h"
#include "identity/gateway_tokens.h"
#include "identity/json_value.h"
#include "identity/jws.h"
#include "identity/token_claims.h"

namespace sluice::identity {
namespace {

using config::JwsAlgorithm;
bool is_allowed(JwsAlgorithm algorithm, const config::OidcIssuer& issuer) {
  const std::string_view name = config::jws_algorithm_names[static_cast<std::size_t>(algorithm)];
  return issuer.algorithms.empty() ||
         std::ranges::find(issuer.algorithms, name) != issuer.algorithms.end();
}

/// The one key that the header means. A header without a key id means the only one that fits.
TokenFault find_key(const JwkSet& set, const JwsHeader& header, const Jwk*& key) {
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

TokenFault check_signature(const JwsParts& parts, const JwsHeader& header, const IssuerKeys* keys,
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

/// A token that was read, and when.
struct Question {
  std::string_view token;
  const JwsParts& parts;
  const JwsHeader& header;
  const JsonValue& claims;
  const Possession& has;
  WallTime now;
};

TokenFault check_type(const JwsHeader& header, const config::OidcIssuer& issuer) {
  const bool is_accepted =
      header.type.empty() ? issuer.untyped : header.type == "jwt" || header.type == "at+jwt";
  return is_accepted ? TokenFault::none : TokenFault::wrong_type;
}

/// One of a provider's.
TokenFault ask_issuer(const Question& question, std::string_view url, const TokenTrust& trust,
                      TokenVerdict& verdict) {
  const auto found = std::ranges::find(trust.issuers, url, &config::OidcIssuer::issuer);
  if (found == trust.issuers.end()) return TokenFault::unknown_issuer;
  const config::OidcIssuer& issuer = *found;
  verdict.issuer = &issuer;
  const TokenFault type = check_type(question.header, issuer);
  if (type != TokenFault::none) return type;
  if (!is_allowed(question.header.algorithm, issuer)) return TokenFault::algorithm_not_allowed;
  const IssuerKeys* const own = trust.keys.find(issuer.issuer);
  const Jwk* key = nullptr;
  TokenFault fault = check_signature(question.parts, question.header, own, question.now, key);
  if (fault != TokenFault::none) return fault;
  config::Principal principal;
  fault = read_claims(question.claims, issuer, question.token, question.now, principal);
  if (fault == TokenFault::none) fault = check_possession(principal, question.has);
  if (fault != TokenFault::none) return fault;
  principal.expires = std::min(principal.expires, own->good_until);
  verdict.principal = std::move(principal);
  verdict.key = key->key;
  return TokenFault::none;
}

/// One of the gateway's own.
TokenFault ask_gateway(const Question& question, const TokenTrust& trust, TokenVerdict& verdict) {
  if (trust.gateway == nullptr) return TokenFault::unknown_issuer;
  // RFC 8725 §3.11: no token of another kind is one.
  if (question.header.type != gateway_token_type) return TokenFault::wrong_type;
  if (question.header.algorithm != JwsAlgorithm::eddsa) return TokenFault::algorithm_not_allowed;
  const Jwk* key = nullptr;
  TokenFault fault =
      check_signature(question.parts, question.header, trust.gateway, question.now, key);
  if (fault != TokenFault::none) return fault;
  config::Principal principal;
  fault = read_gateway_claims(question.claims, question.now, principal);
  if (fault == TokenFault::none) fault = check_possession(principal, question.has);
  if (fault != TokenFault::none) return fault;
  if (trust.revoked.contains(principal.credential_id)) return TokenFault::revoked;
  verdict.principal = std::move(principal);
  verdict.key = key->key;
  return TokenFault::none;
}

}  // namespace

const IssuerKeys* TokenKeys::find(std::string_view issuer) const noexcept {
  const auto found = std::ranges::find(issuers, issuer, &IssuerKeys::issuer);
  return found == issuers.end() ? nullptr : &*found;
}

TokenVerdict verify_token(std::string_view token, const TokenTrust& trust, WallTime now,
                          const Possession& has) {
  TokenVerdict verdict;
  const auto failed = [&verdict](TokenFault fault) {
    verdict.fault = fault;
    return fault != TokenFault::none;
  };
  JwsParts parts;
  if (failed(split(token, parts))) return verdict;
  const auto header_object = read_part(parts.header);
  if (!header_object && failed(header_object.error())) return verdict;
  JwsHeader header;
  if (failed(read_header(*header_object, header))) return verdict;
  const auto claims = read_part(parts.payload);
  if (!claims && failed(claims.error())) return verdict;

  const std::string* const issuer = claims->find_text("iss");
  if (issuer == nullptr && failed(TokenFault::no_issuer)) return verdict;
  Question question{token, parts, header, *claims, has, now};
  verdict.fault = *issuer == gateway_issuer ? ask_gateway(question, trust, verdict)
                                            : ask_issuer(question, *issuer, trust, verdict);
  return verdict;
}

TokenFault check_possession(const config::Principal& who, const Possession& has) noexcept {
  if (!who.bound_certificate.empty() && who.bound_certificate != as_text(has.certificate)) {
    return TokenFault::wrong_certificate;
  }
  if (who.bound_key == as_text(has.key)) return TokenFault::none;
  return who.bound_key.empty() ? TokenFault::not_bound : TokenFault::wrong_key;
}

bool still_holds(const TokenGrounds& grounds, const TokenTrust& trust) {
  if (!grounds.key) return false;
  const IssuerKeys* keys = trust.gateway;
  if (grounds.issuer) {
    const auto issuer =
        std::ranges::find(trust.issuers, grounds.issuer->issuer, &config::OidcIssuer::issuer);
    if (issuer == trust.issuers.end() || !proves_alike(*issuer, *grounds.issuer)) return false;
    keys = trust.keys.find(issuer->issuer);
  } else if (trust.revoked.contains(grounds.id)) {
    return false;
  }
  return keys != nullptr && keys->keys &&
         std::ranges::any_of(keys->keys->keys, [&grounds](const Jwk& one) {
           return is_same_key(*one.key, *grounds.key);
         });
}

}  // namespace sluice::identity
