#include "identity/dpop.h"

#include <optional>
#include <utility>

#include "base/text_codec.h"
#include "identity/jwk.h"
#include "identity/jws.h"
#include "identity/oidc.h"
#include "identity/token_claims.h"

namespace sluice::identity {
namespace {

tl::unexpected<TokenFault> malformed() {
  return tl::unexpected(TokenFault::malformed_dpop);
}

/// The key that the header brings.
TokenFault take_key(const JsonValue& header, DpopProof& proof) {
  const JsonValue* const jwk = header.find("jwk");
  if (jwk == nullptr || jwk->kind != JsonValue::Kind::object) return TokenFault::malformed_dpop;
  auto key = read_jwk(*jwk);
  if (!key || !key->algorithms.test(static_cast<std::size_t>(proof.algorithm))) {
    return TokenFault::bad_dpop_key;
  }
  const auto thumbprint = jwk_thumbprint(*jwk);
  if (!thumbprint) return TokenFault::bad_dpop_key;
  proof.key = std::move(*key);
  proof.thumbprint = *thumbprint;
  return TokenFault::none;
}

/// §4.2. A text that is not there, is empty or too long makes the proof none.
bool take_text(const JsonValue& claims, std::string_view name, std::size_t bytes_max,
               std::string& to) {
  const std::string* const text = claims.find_text(name);
  if (text == nullptr || text->empty() || text->size() > bytes_max) return false;
  to = *text;
  return true;
}

bool take_time(const JsonValue& claims, WallTime& issued) {
  const JsonValue* const claim = claims.find("iat");
  const auto time = claim == nullptr ? std::nullopt : time_of(*claim);
  if (time) issued = *time;
  return time.has_value();
}

}  // namespace

Result<DpopProof, TokenFault> read_dpop(std::string_view text) {
  JwsParts parts;
  if (text.size() > dpop_bytes_max || split(text, parts) != TokenFault::none) return malformed();
  const auto object = read_part(parts.header);
  JwsHeader header;
  if (!object || read_proof_header(*object, header) != TokenFault::none) return malformed();
  if (header.type != "dpop+jwt") return malformed();
  DpopProof proof;
  proof.algorithm = header.algorithm;
  proof.signed_text = parts.signed_text;
  proof.signature = parts.signature;
  if (const TokenFault fault = take_key(*object, proof); fault != TokenFault::none) {
    return tl::unexpected(fault);
  }
  const auto claims = read_part(parts.payload);
  constexpr std::size_t uri_bytes_max = std::size_t{4} << 10;
  const bool is_whole = claims && take_text(*claims, "jti", claim_bytes_max, proof.id) &&
                        take_text(*claims, "htm", claim_bytes_max, proof.method) &&
                        take_text(*claims, "htu", uri_bytes_max, proof.uri) &&
                        take_text(*claims, "ath", claim_bytes_max, proof.token_digest) &&
                        take_time(*claims, proof.issued);
  if (!is_whole) return malformed();
  return proof;
}

TokenFault verify_dpop(const DpopProof& proof, const DpopClaim& about, WallTime now,
                       Duration max_age) {
  if (proof.method != about.method) return TokenFault::wrong_dpop_method;
  const auto digest = sha256(about.token);
  if (!digest || proof.token_digest != to_base64url(*digest)) return TokenFault::wrong_dpop_token;
  if (proof.issued + max_age < now || now + dpop_ahead_max < proof.issued) {
    return TokenFault::wrong_dpop_time;
  }
  const auto signature = from_base64url(proof.signature);
  const bool holds =
      signature && verify_signature(proof.key, proof.algorithm, proof.signed_text, *signature);
  return holds ? TokenFault::none : TokenFault::bad_dpop_signature;
}

}  // namespace sluice::identity
