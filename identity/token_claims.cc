#include "identity/token_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "base/ascii.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "identity/gateway_tokens.h"
#include "identity/oidc.h"
#include "identity/secret_hash.h"

namespace sluice::identity {
namespace {

using Kind = JsonValue::Kind;

/// A name that rules and records can hold.
bool is_short_text(const JsonValue& value) noexcept {
  return value.kind == Kind::text && !value.text.empty() && value.text.size() <= claim_bytes_max &&
         std::ranges::none_of(value.text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7F;
         });
}

/// expires  nothing: the claims do not say it.
TokenFault check_times(const JsonValue& claims, Duration skew, WallTime now,
                       std::optional<WallTime>& expires) {
  const JsonValue* const expiry = claims.find("exp");
  if (expiry != nullptr) {
    const auto end = time_of(*expiry);
    if (!end) return TokenFault::bad_time;
    // §4.1.4: on or after it the token is not accepted.
    expires = *end + skew;
    if (now >= *expires) return TokenFault::expired;
  }
  struct Start {
    std::string_view claim;
    TokenFault fault;
  };
  for (const Start& start :
       {Start{"nbf", TokenFault::not_yet_valid}, Start{"iat", TokenFault::issued_in_future}}) {
    const JsonValue* const claim = claims.find(start.claim);
    if (claim == nullptr) continue;
    const auto from = time_of(*claim);
    if (!from) return TokenFault::bad_time;
    if (*from > now + skew) return start.fault;
  }
  return TokenFault::none;
}

/// The same of claims that must say when they end.
TokenFault check_lifetime(const JsonValue& claims, Duration skew, WallTime now, WallTime& expires) {
  std::optional<WallTime> end;
  const TokenFault fault = check_times(claims, skew, now, end);
  if (fault != TokenFault::none) return fault;
  if (!end) return TokenFault::no_expiry;
  expires = *end;
  return TokenFault::none;
}

/// §4.1.3: a text, or a list of which one is enough.
TokenFault check_audience(const JsonValue& claims, const std::string& audience) {
  const JsonValue* const claim = claims.find("aud");
  if (claim == nullptr) return TokenFault::wrong_audience;
  const auto is_ours = [&audience](const JsonValue& value) {
    return value.kind == Kind::text && value.text == audience;
  };
  const bool is_for_us =
      claim->kind == Kind::array ? std::ranges::any_of(claim->items, is_ours) : is_ours(*claim);
  return is_for_us ? TokenFault::none : TokenFault::wrong_audience;
}

/// OpenID Connect Core §2 has `azp`, RFC 9068 §2.2 `client_id`: to whom the token was given.
TokenFault check_party(const JsonValue& claims, const std::vector<std::string>& parties) {
  if (parties.empty()) return TokenFault::none;
  bool is_named = false;
  for (const std::string_view name : {"azp", "client_id"}) {
    const JsonValue* const claim = claims.find(name);
    if (claim == nullptr) continue;
    is_named = true;
    if (claim->kind != Kind::text || std::ranges::find(parties, claim->text) == parties.end()) {
      return TokenFault::wrong_party;
    }
  }
  return is_named ? TokenFault::none : TokenFault::wrong_party;
}

/// A claim by its name as a whole (some hold dots), or else by a path with dots.
const JsonValue* find_claim(const JsonValue& claims, std::string_view path) {
  if (const JsonValue* const whole = claims.find(path)) return whole;
  const JsonValue* at = &claims;
  while (at != nullptr) {
    const std::size_t dot = path.find('.');
    at = at->find(path.substr(0, dot));
    if (dot == path.npos) return at;
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

/// What Entra ID says where it leaves groups out ("groups overage claim").
bool has_overage(const JsonValue& claims, std::string_view groups_claim) {
  if (const JsonValue* const sign = claims.find("hasgroups")) {
    if (sign->kind != Kind::boolean || sign->boolean) return true;
  }
  const JsonValue* const elsewhere = claims.find("_claim_names");
  return elsewhere != nullptr && elsewhere->find(groups_claim) != nullptr;
}

TokenFault read_groups(const JsonValue& claims, const config::OidcIssuer& issuer,
                       std::vector<std::string>& groups) {
  if (issuer.groups_claim.empty()) return TokenFault::none;
  if (has_overage(claims, issuer.groups_claim)) return TokenFault::groups_overage;
  const JsonValue* const claim = find_claim(claims, issuer.groups_claim);
  if (claim == nullptr) return TokenFault::no_groups;
  // One text is one group: splitting it at spaces could make groups that nobody gave.
  const std::span<const JsonValue> values =
      claim->kind == Kind::array ? std::span(claim->items) : std::span(claim, 1);
  if (values.size() > token_groups_max) return TokenFault::too_many_groups;
  groups.reserve(values.size());
  for (const JsonValue& value : values) {
    if (!is_short_text(value)) return TokenFault::bad_groups;
    groups.push_back(issuer.prefix + value.text);
  }
  return TokenFault::none;
}

/// RFC 7800 §3: who shows it must prove that it has a key: that of a certificate (RFC 8705 §3.1),
/// or one that proofs are made with (RFC 9449 §6.1). No other is looked at here.
TokenFault read_binding(const JsonValue& claims, config::Principal& principal) {
  const JsonValue* const confirmation = claims.find("cnf");
  if (confirmation == nullptr) return TokenFault::none;
  if (confirmation->names.size() != 1) return TokenFault::bound_to_something;
  const std::string* const certificate = confirmation->find_text("x5t#S256");
  const std::string* const key = confirmation->find_text("jkt");
  const std::string* const text = certificate != nullptr ? certificate : key;
  if (text == nullptr) return TokenFault::bound_to_something;
  const auto digest = from_base64url(*text);
  constexpr std::size_t sha256_bytes = 32;
  if (!digest || digest->size() != sha256_bytes) return TokenFault::bound_to_something;
  (certificate != nullptr ? principal.bound_certificate : principal.bound_key) = as_text(*digest);
  return TokenFault::none;
}

/// RFC 8693 §4.1: the outermost actor acts now, those within acted before.
/// prefix, vouches  of actors that come without an issuer of their own.
TokenFault read_actors(const JsonValue& claims, std::string_view prefix, std::string_view vouches,
                       std::vector<config::Actor>& actors) {
  for (const JsonValue* act = claims.find("act"); act != nullptr; act = act->find("act")) {
    if (actors.size() == token_actors_max) return TokenFault::delegation_too_deep;
    const JsonValue* const subject = act->find("sub");
    const JsonValue* const other = act->find("iss");
    if (subject == nullptr || !is_short_text(*subject) ||
        (other != nullptr && !is_short_text(*other))) {
      return TokenFault::bad_actor;
    }
    actors.push_back({std::string(prefix) + subject->text,
                      other == nullptr ? std::string(vouches) : other->text});
  }
  return TokenFault::none;
}

/// The gateway, or one target of it.
TokenFault read_gateway_audience(const JsonValue& claims, std::string& target) {
  const std::string* const audience = claims.find_text("aud");
  if (audience == nullptr) return TokenFault::wrong_audience;
  if (*audience == gateway_issuer) return TokenFault::none;
  if (!audience->starts_with(target_audience_prefix)) return TokenFault::wrong_audience;
  target = audience->substr(target_audience_prefix.size());
  return target.empty() ? TokenFault::wrong_audience : TokenFault::none;
}

/// Gives nothing away.
std::string digest_of(std::string_view token) {
  constexpr std::size_t digest_bytes = 16;
  const auto digest = sha256(token);
  if (!digest) return {};
  return fmt::format("sha256:{}", to_hex(ByteView(*digest).first(digest_bytes)));
}

/// Tells tokens apart in records: by their own id, or else by a digest.
std::string id_of(const JsonValue& claims, std::string_view token) {
  const JsonValue* const id = claims.find("jti");
  return id != nullptr && is_short_text(*id) ? id->text : digest_of(token);
}

/// What claims say but for how long they are good, whoever vouches for them.
TokenFault read_grant(const JsonValue& claims, const config::OidcIssuer& issuer,
                      std::string_view token, config::Principal& principal) {
  TokenFault fault = check_audience(claims, issuer.audience);
  if (fault == TokenFault::none) fault = check_party(claims, issuer.authorized_parties);
  if (fault == TokenFault::none) fault = read_binding(claims, principal);
  if (fault != TokenFault::none) return fault;
  // RFC 8417 §2.2: logout tokens and the like are signed with the same keys.
  if (claims.find("events") != nullptr) return TokenFault::security_event;

  const JsonValue* const subject = find_claim(claims, issuer.subject_claim);
  if (subject == nullptr) return TokenFault::no_subject;
  if (!is_short_text(*subject)) return TokenFault::bad_subject;
  fault = read_groups(claims, issuer, principal.groups);
  if (fault == TokenFault::none) {
    fault = read_actors(claims, issuer.prefix, issuer.name, principal.actors);
  }
  if (fault != TokenFault::none) return fault;
  principal.subject = issuer.prefix + subject->text;
  principal.issuer = issuer.name;
  principal.credential_id = id_of(claims, token);
  return TokenFault::none;
}

/// RFC 6749 §7.1; RFC 9449 §6.2. It may be missing; what is bound to a key may be called either.
TokenFault check_token_type(const JsonValue& said) {
  const JsonValue* const type = said.find("token_type");
  if (type == nullptr) return TokenFault::none;
  const std::string name = type->kind == Kind::text ? in_lower_case(type->text) : std::string();
  if (name == "bearer") return TokenFault::none;
  const JsonValue* const confirmation = said.find("cnf");
  const bool is_bound = confirmation != nullptr && confirmation->find("jkt") != nullptr;
  return name == "dpop" && is_bound ? TokenFault::none : TokenFault::wrong_token_type;
}

}  // namespace

std::optional<WallTime> time_of(const JsonValue& value) noexcept {
  constexpr double ns_per_second = 1e9;
  constexpr auto end_seconds = static_cast<double>(timestamp_end.ns) / ns_per_second;
  const bool is_time =
      value.kind == Kind::number && value.number >= 0 && value.number < end_seconds;
  if (!is_time) return std::nullopt;
  return WallTime{static_cast<std::int64_t>(value.number * ns_per_second)};
}

TokenFault read_claims(const JsonValue& claims, const config::OidcIssuer& issuer,
                       std::string_view token, WallTime now, config::Principal& principal) {
  const TokenFault fault = check_lifetime(claims, issuer.clock_skew, now, principal.expires);
  if (fault != TokenFault::none) return fault;
  principal.proof = config::Proof::oidc;
  return read_grant(claims, issuer, token, principal);
}

TokenFault read_introspection(const JsonValue& said, const config::OidcIssuer& issuer,
                              std::string_view token, WallTime now, config::Principal& principal) {
  const JsonValue* const vouches = said.find("iss");
  if (vouches != nullptr && (vouches->kind != Kind::text || vouches->text != issuer.issuer)) {
    return TokenFault::wrong_issuer;
  }
  std::optional<WallTime> end;
  TokenFault fault = check_token_type(said);
  if (fault == TokenFault::none) fault = check_times(said, issuer.clock_skew, now, end);
  if (fault != TokenFault::none) return fault;
  const WallTime forgotten = now + issuer.introspection->cache;
  principal.expires = end ? std::min(*end, forgotten) : forgotten;
  principal.proof = config::Proof::introspection;
  fault = read_grant(said, issuer, token, principal);
  // The id of such a token may be the token itself, or what is secret of it.
  std::string& id = principal.credential_id;
  if (token.find(id) != token.npos || id.find(token) != id.npos) id = digest_of(token);
  return fault;
}

TokenFault read_gateway_claims(const JsonValue& claims, WallTime now,
                               config::Principal& principal) {
  TokenFault fault = check_lifetime(claims, gateway_clock_skew, now, principal.expires);
  if (fault == TokenFault::none) fault = read_gateway_audience(claims, principal.target);
  if (fault != TokenFault::none) return fault;
  // Each is in every token that the gateway mints.
  const auto read = [&claims](std::string_view name, std::string& to) {
    const JsonValue* const claim = claims.find(name);
    if (claim == nullptr || !is_short_text(*claim)) return false;
    to = claim->text;
    return true;
  };
  const JsonValue* const issued = claims.find("iat");
  const auto since = issued == nullptr ? std::nullopt : time_of(*issued);
  const bool is_complete =
      read("sub", principal.subject) && read("idp", principal.issuer) &&
      read("jti", principal.credential_id) && since &&
      principal.expires <= *since + gateway_token_lifetime_max + gateway_clock_skew;
  const JsonValue* const groups = claims.find("groups");
  if (!is_complete || groups == nullptr || groups->kind != Kind::array) {
    return TokenFault::incomplete;
  }
  for (const JsonValue& group : groups->items) {
    if (!is_short_text(group)) return TokenFault::bad_groups;
    principal.groups.push_back(group.text);
  }
  principal.proof = config::Proof::gateway_token;
  return read_actors(claims, {}, {}, principal.actors);
}

}  // namespace sluice::identity
