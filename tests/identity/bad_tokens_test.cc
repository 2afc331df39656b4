// Every way in which a token can be bad, each with its own reason.
#include <fmt/format.h>
#include <openssl/hmac.h>

#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "base/text_codec.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::test;
using config::JwsAlgorithm;
using identity::TokenFault;

namespace {

std::string es256(std::string_view header, std::string_view claims) {
  return make_token(provider_keys().p256, JwsAlgorithm::es256, header, claims);
}
std::string good() {
  return es256(good_header, good_claims);
}
std::string with_header(std::string_view header) {
  return es256(header, good_claims);
}
/// Something behind the header's object.
std::string header_then(std::string_view more) {
  return with_header(fmt::format("{}{}", good_header, more));
}
/// A member more in the header.
std::string header_and(std::string_view member) {
  return with_header(fmt::format(R"({{"alg":"ES256","typ":"JWT","kid":"p256",{}}})", member));
}
/// A member more among the claims.
std::string claims_and(std::string_view member) {
  return es256(good_header,
               fmt::format("{},{}}}", good_claims.substr(0, good_claims.size() - 1), member));
}
/// The good claims with one of them changed, signed anew.
std::string claims_with(std::string_view from, std::string_view to) {
  return es256(good_header, with(good_claims, from, to));
}
/// The good text with another signature.
std::string signed_by(std::string_view signature) {
  return signed_text(good_header, good_claims) + "." + to_base64url(as_bytes(signature));
}
std::string strict(std::string_view more) {
  return make_token(provider_keys().rsa, JwsAlgorithm::rs256,
                    R"({"alg":"RS256","typ":"JWT","kid":"rsa"})",
                    fmt::format(R"({{"iss":"https://strict.example.com","aud":"sluice",)"
                                R"("sub":"ann","exp":1800000600{}}})",
                                more));
}
std::string hmac(std::string_view header, const std::string& secret, const EVP_MD* digest) {
  const std::string text = signed_text(header, good_claims);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()), as_bytes(text).data(), text.size(),
       mac.data(), &size);
  return text + "." + to_base64url(ByteView(mac).first(size));
}
std::string nested(std::size_t depth) {
  std::string text = R"("x":)";
  for (std::size_t i = 0; i < depth; ++i) text += "[";
  for (std::size_t i = 0; i < depth; ++i) text += "]";
  return text;
}
std::string members(std::size_t count) {
  std::string text = R"("m":1)";
  for (std::size_t i = 0; i < count; ++i) text += fmt::format(R"(,"m{}":1)", i);
  return text;
}
std::string actors(std::size_t count) {
  std::string text = R"({"sub":"a"})";
  for (std::size_t i = 1; i < count; ++i) text = fmt::format(R"({{"sub":"a","act":{}}})", text);
  return R"("act":)" + text;
}
std::string groups(std::size_t count) {
  std::string text = R"(["g")";
  for (std::size_t i = 1; i < count; ++i) text += fmt::format(R"(,"g{}")", i);
  return text + "]";
}

struct Case {
  const char* name;
  TokenFault fault;
  std::function<std::string()> make;
};

const std::string text_261(261, 'x');
// The order of P-256 (SP 800-186 §3.2.1.3): r and s lie below it.
constexpr const char* p256_order =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

std::string from_hex_text(std::string_view hex) {
  return std::string(as_text(*from_hex(hex)));
}

const Case shapes[] = {
    {"nothing", TokenFault::not_compact, [] { return std::string(); }},
    {"one part", TokenFault::not_compact, [] { return std::string("abc"); }},
    {"two parts", TokenFault::not_compact, [] { return signed_text(good_header, good_claims); }},
    {"four parts", TokenFault::not_compact, [] { return good() + ".x"; }},
    {"JWE", TokenFault::encrypted, [] { return good() + ".x.y"; }},
    {"no header", TokenFault::not_compact, [] { return good().substr(good().find('.')); }},
    {"no claims", TokenFault::not_compact, [] { return std::string("e30..e30"); }},
    {"no signature", TokenFault::bad_signature, [] { return signed_by(""); }},
    {"larger than 16 KiB", TokenFault::too_large, [] { return good() + std::string(16384, 'A'); }},
    {"padded header", TokenFault::bad_base64, [] { return with(good(), ".", "=."); }},
    {"padded signature", TokenFault::bad_base64, [] { return good() + "=="; }},
    {"base64 that is not base64url", TokenFault::bad_base64,
     [] { return with(good(), ".", "+/+/."); }},
    {"a space", TokenFault::bad_base64, [] { return with(good(), "ey", "ey "); }},
    {"a line end", TokenFault::bad_base64, [] { return good() + "\n"; }},
    {"stray bits in the header", TokenFault::bad_base64,
     [] { return "e31." + good().substr(good().find('.') + 1); }},
    {"stray bits in the signature", TokenFault::bad_base64,
     [] {
       std::string token = good();
       token.back() = token.back() == 'B' ? 'C' : 'B';  // 64 bytes leave four bits
       return token;
     }},
    {"a length that base64 cannot have", TokenFault::bad_base64, [] { return good() + "AAA"; }},
    {"a header that is not JSON", TokenFault::bad_json, [] { return with_header("alg: ES256"); }},
    {"a header in brackets", TokenFault::bad_json, [] { return with_header(R"(["ES256"])"); }},
    {"a header that is a text", TokenFault::bad_json, [] { return with_header(R"("ES256")"); }},
    {"something behind the header's object", TokenFault::bad_json,
     [] { return header_then("{}"); }},
    {"a comma too many", TokenFault::bad_json, [] { return header_and(""); }},
    {"a comment", TokenFault::bad_json, [] { return header_then("/**/"); }},
    {"a byte order mark", TokenFault::bad_json,
     [] { return with_header("\xEF\xBB\xBF" + std::string(good_header)); }},
    {"NUL behind the header", TokenFault::bad_json,
     [] { return header_then(std::string_view("\0", 1)); }},
    {"UTF-16", TokenFault::bad_json, [] { return with_header(std::string("{\0}\0", 4)); }},
    {"what is not UTF-8", TokenFault::bad_json, [] { return claims_with("ann", "\xC0\xAF"); }},
    {"half of a surrogate pair", TokenFault::bad_json,
     [] { return claims_with("ann", R"(\ud800)"); }},
    {"claims in brackets", TokenFault::bad_json, [] { return es256(good_header, "[]"); }},
    {"no number", TokenFault::bad_json, [] { return claims_with("1800000600", "NaN"); }},
    {"a number beyond all numbers", TokenFault::bad_json,
     [] { return claims_with("1800000600", "1e999"); }},
    {"alg twice", TokenFault::repeated_member, [] { return header_and(R"("alg":"none")"); }},
    {"alg twice, once in escapes", TokenFault::repeated_member,
     [] { return header_and(R"("\u0061lg":"none")"); }},
    {"sub twice", TokenFault::repeated_member, [] { return claims_and(R"("sub":"root")"); }},
    {"a member twice, further in", TokenFault::repeated_member,
     [] { return claims_and(R"("x":{"y":1,"y":2})"); }},
    {"nine levels", TokenFault::too_complex, [] { return claims_and(nested(8)); }},
    {"a thousand levels", TokenFault::too_complex, [] { return claims_and(nested(1000)); }},
    {"too many members", TokenFault::too_complex, [] { return claims_and(members(150)); }},
    {"too many values", TokenFault::too_complex,
     [] {
       return claims_and(R"("x":[)" + fmt::format("{}", fmt::join(std::vector<int>(2100), ",")) +
                         "]");
     }},
};

const Case headers[] = {
    {"no alg", TokenFault::no_algorithm, [] { return with_header(R"({"kid":"p256"})"); }},
    {"alg is no text", TokenFault::no_algorithm, [] { return with_header(R"({"alg":256})"); }},
    {"alg none", TokenFault::unsigned_token,
     [] { return signed_text(R"({"alg":"none"})", good_claims) + "."; }},
    {"alg None", TokenFault::unsigned_token, [] { return with_header(R"({"alg":"None"})"); }},
    {"alg nOnE", TokenFault::unsigned_token, [] { return with_header(R"({"alg":"nOnE"})"); }},
    {"HMAC with the public key", TokenFault::symmetric_algorithm,
     [] {
       return hmac(R"({"alg":"HS256","kid":"rsa"})", provider_keys().rsa.public_der(),
                   EVP_sha256());
     }},
    {"HS512 with an empty secret", TokenFault::symmetric_algorithm,
     [] { return hmac(R"({"alg":"HS512"})", "", EVP_sha512()); }},
    {"an unknown algorithm", TokenFault::unknown_algorithm,
     [] { return with_header(R"({"alg":"ES256K","kid":"p256"})"); }},
    {"RS1", TokenFault::unknown_algorithm, [] { return with_header(R"({"alg":"RS1"})"); }},
    {"an algorithm in lower case", TokenFault::unknown_algorithm,
     [] { return with_header(R"({"alg":"es256","kid":"p256"})"); }},
    {"an empty algorithm", TokenFault::unknown_algorithm,
     [] { return with_header(R"({"alg":""})"); }},
    {"jwk", TokenFault::embedded_key,
     [] { return header_and(R"("jwk":)" + provider_keys().p256.jwk("p256")); }},
    {"jku", TokenFault::embedded_key,
     [] { return header_and(R"("jku":"https://evil.example/keys")"); }},
    {"x5c", TokenFault::embedded_key, [] { return header_and(R"("x5c":["MIIB"])"); }},
    {"x5u", TokenFault::embedded_key, [] { return header_and(R"("x5u":"file:///etc/passwd")"); }},
    {"crit", TokenFault::critical_header, [] { return header_and(R"("crit":["exp"])"); }},
    {"crit that is empty", TokenFault::critical_header, [] { return header_and(R"("crit":[])"); }},
    {"b64", TokenFault::critical_header, [] { return header_and(R"("b64":false)"); }},
    {"enc", TokenFault::encrypted, [] { return header_and(R"("enc":"A256GCM")"); }},
    {"zip", TokenFault::encrypted, [] { return header_and(R"("zip":"DEF")"); }},
    {"cty", TokenFault::nested_token, [] { return header_and(R"("cty":"JWT")"); }},
    {"a logout token", TokenFault::wrong_type,
     [] { return with_header(with(good_header, "JWT", "logout+jwt")); }},
    {"a DPoP proof", TokenFault::wrong_type,
     [] { return with_header(with(good_header, "JWT", "dpop+jwt")); }},
    {"typ is no text", TokenFault::wrong_type,
     [] { return with_header(with(good_header, R"("JWT")", "7")); }},
    {"no typ", TokenFault::wrong_type,
     [] { return with_header(R"({"alg":"ES256","kid":"p256"})"); }},
    {"kid is no text", TokenFault::bad_key_id,
     [] { return with_header(with(good_header, R"("p256")", "[]")); }},
    {"an empty kid", TokenFault::bad_key_id,
     [] { return with_header(with(good_header, R"("p256")", R"("")")); }},
    {"a kid of 261 bytes", TokenFault::bad_key_id,
     [] { return with_header(with(good_header, "p256", text_261)); }},
};

const Case keys[] = {
    {"a kid that is a path", TokenFault::unknown_key,
     [] { return with_header(with(good_header, "p256", "../../dev/null")); }},
    {"a kid that is SQL", TokenFault::unknown_key,
     [] { return with_header(with(good_header, "p256", "x' UNION SELECT 'k")); }},
    {"no iss", TokenFault::no_issuer, [] { return claims_with(R"("iss")", R"("isx")"); }},
    {"iss is no text", TokenFault::no_issuer,
     [] { return claims_with(R"("https://id.example.com")", "1"); }},
    {"iss is a list", TokenFault::no_issuer,
     [] { return claims_with(R"("https://id.example.com")", R"(["https://id.example.com"])"); }},
    {"another issuer", TokenFault::unknown_issuer,
     [] { return claims_with("id.example.com", "evil.example"); }},
    {"a slash behind the issuer", TokenFault::unknown_issuer,
     [] { return claims_with("id.example.com", "id.example.com/"); }},
    {"the issuer in upper case", TokenFault::unknown_issuer,
     [] { return claims_with("id.example.com", "ID.example.com"); }},
    {"an issuer whose keys were never fetched", TokenFault::no_keys,
     [] { return claims_with("id.example.com", "absent.example.com"); }},
    {"an issuer whose keys are too old", TokenFault::keys_too_old,
     [] { return claims_with("id.example.com", "stale.example.com"); }},
    {"an algorithm that the issuer may not use", TokenFault::algorithm_not_allowed,
     [] { return claims_with("id.example.com", "strict.example.com"); }},
    {"RS256 with an EC key's id", TokenFault::unfit_key,
     [] { return with_header(with(good_header, "ES256", "RS256")); }},
    {"ES256 with a key on P-384", TokenFault::unfit_key,
     [] { return with_header(with(good_header, "p256", "p384")); }},
    {"ES384 with a key on P-256", TokenFault::unfit_key,
     [] { return with_header(with(good_header, "ES256", "ES384")); }},
    {"EdDSA with an RSA key's id", TokenFault::unfit_key,
     [] { return with_header(R"({"alg":"EdDSA","typ":"JWT","kid":"rsa"})"); }},
    {"PS256 with a key for RS256", TokenFault::unfit_key,
     [] {
       return make_token(provider_keys().bound_rsa, JwsAlgorithm::ps256,
                         R"({"alg":"PS256","typ":"JWT","kid":"bound"})", good_claims);
     }},
    {"no kid, and several keys fit", TokenFault::ambiguous_key,
     [] { return with_header(R"({"alg":"ES256","typ":"JWT"})"); }},
    {"a kid that two keys have", TokenFault::ambiguous_key,
     [] { return with_header(with(good_header, "p256", "twin")); }},
    {"the other issuer's key", TokenFault::unknown_key,
     [] {
       return make_token(provider_keys().other, JwsAlgorithm::es256,
                         with(good_header, "p256", "only"), good_claims);
     }},
    {"this issuer's key for the other one's token", TokenFault::unknown_key,
     [] { return claims_with("id.example.com", "other.example.com"); }},
};

const Case signatures[] = {
    {"another key of the same kind", TokenFault::bad_signature,
     [] {
       return make_token(provider_keys().other, JwsAlgorithm::es256, good_header, good_claims);
     }},
    {"other claims", TokenFault::bad_signature,
     [] {
       const std::string token = good();
       return signed_text(good_header, with(good_claims, "ann", "bob")) +
              token.substr(token.rfind('.'));
     }},
    {"another header", TokenFault::bad_signature,
     [] {
       const std::string token = good();
       return signed_text(with(good_header, "JWT", "at+jwt"), good_claims) +
              token.substr(token.rfind('.'));
     }},
    {"r and s are zero", TokenFault::bad_signature,
     [] { return signed_by(std::string(64, '\0')); }},
    {"r and s are the order", TokenFault::bad_signature,
     [] { return signed_by(from_hex_text(p256_order) + from_hex_text(p256_order)); }},
    {"r and s in DER", TokenFault::bad_signature,
     [] { return signed_by(from_hex_text("3006020101020101")); }},
    {"a signature too short", TokenFault::bad_signature,
     [] { return signed_by(std::string(63, '\x01')); }},
    {"a signature too long", TokenFault::bad_signature,
     [] { return signed_by(std::string(65, '\x01')); }},
    {"PS256's signature as RS256", TokenFault::bad_signature,
     [] {
       return make_token(provider_keys().rsa, JwsAlgorithm::ps256,
                         R"({"alg":"RS256","typ":"JWT","kid":"rsa"})", good_claims);
     }},
    {"RS256's signature as PS256", TokenFault::bad_signature,
     [] {
       return make_token(provider_keys().rsa, JwsAlgorithm::rs256,
                         R"({"alg":"PS256","typ":"JWT","kid":"rsa"})", good_claims);
     }},
    {"RS384's signature as RS256", TokenFault::bad_signature,
     [] {
       return make_token(provider_keys().rsa, JwsAlgorithm::rs384,
                         R"({"alg":"RS256","typ":"JWT","kid":"rsa"})", good_claims);
     }},
    {"PS256 with a short salt", TokenFault::bad_signature,
     [] {
       const std::string text =
           signed_text(R"({"alg":"PS256","typ":"JWT","kid":"rsa"})", good_claims);
       return text + "." +
              to_base64url(as_bytes(provider_keys().rsa.sign(JwsAlgorithm::ps256, text, 8)));
     }},
    {"RS256 of 255 bytes", TokenFault::bad_signature,
     [] {
       return signed_text(R"({"alg":"RS256","typ":"JWT","kid":"rsa"})", good_claims) + "." +
              to_base64url(as_bytes(std::string(255, '\x01')));
     }},
    {"RS256 with a zero before it", TokenFault::bad_signature,
     [] {
       const std::string text =
           signed_text(R"({"alg":"RS256","typ":"JWT","kid":"rsa"})", good_claims);
       return text + "." +
              to_base64url(as_bytes(std::string(1, '\0') +
                                    provider_keys().rsa.sign(JwsAlgorithm::rs256, text)));
     }},
    {"Ed25519 with s too large", TokenFault::bad_signature,
     [] {
       const std::string text =
           signed_text(R"({"alg":"EdDSA","typ":"JWT","kid":"ed"})", good_claims);
       std::string signature = provider_keys().ed25519.sign(JwsAlgorithm::eddsa, text);
       signature.back() = static_cast<char>(signature.back() | '\xE0');
       return text + "." + to_base64url(as_bytes(signature));
     }},
};

const Case claims[] = {
    {"no exp", TokenFault::no_expiry, [] { return claims_with(R"("exp")", R"("exq")"); }},
    {"exp in a text", TokenFault::bad_time,
     [] { return claims_with("1800000600", R"("1800000600")"); }},
    {"exp null", TokenFault::bad_time, [] { return claims_with("1800000600", "null"); }},
    {"exp true", TokenFault::bad_time, [] { return claims_with("1800000600", "true"); }},
    {"exp below zero", TokenFault::bad_time, [] { return claims_with("1800000600", "-1"); }},
    {"exp beyond all clocks", TokenFault::bad_time,
     [] { return claims_with("1800000600", "1e300"); }},
    {"exp in milliseconds", TokenFault::bad_time,
     [] { return claims_with("1800000600", "1800000600000"); }},
    {"expired long ago", TokenFault::expired,
     [] { return claims_with("1800000600", "1300819380"); }},
    {"expired by the skew and no more", TokenFault::expired,
     [] { return claims_with("1800000600", "1799999940"); }},
    {"nbf ahead", TokenFault::not_yet_valid,
     [] { return claims_with(R"("nbf":1799999990)", R"("nbf":1800000061)"); }},
    {"nbf in a text", TokenFault::bad_time,
     [] { return claims_with(R"("nbf":1799999990)", R"("nbf":"now")"); }},
    {"iat ahead", TokenFault::issued_in_future,
     [] { return claims_with(R"("iat":1799999990)", R"("iat":1800000061)"); }},
    {"iat in a list", TokenFault::bad_time,
     [] { return claims_with(R"("iat":1799999990)", R"("iat":[1799999990])"); }},
    {"no aud", TokenFault::wrong_audience, [] { return claims_with(R"("aud")", R"("aux")"); }},
    {"another aud", TokenFault::wrong_audience,
     [] { return claims_with(R"("sluice")", R"("api")"); }},
    {"aud that only begins so", TokenFault::wrong_audience,
     [] { return claims_with(R"("sluice")", R"("sluice2")"); }},
    {"aud in another case", TokenFault::wrong_audience,
     [] { return claims_with(R"("sluice")", R"("Sluice")"); }},
    {"an empty list of aud", TokenFault::wrong_audience,
     [] { return claims_with(R"("sluice")", "[]"); }},
    {"aud further in", TokenFault::wrong_audience,
     [] { return claims_with(R"("sluice")", R"([["sluice"]])"); }},
    {"aud is a number", TokenFault::wrong_audience, [] { return claims_with(R"("sluice")", "1"); }},
    {"no azp where one is asked for", TokenFault::wrong_party, [] { return strict(""); }},
    {"another azp", TokenFault::wrong_party, [] { return strict(R"(,"azp":"other")"); }},
    {"azp is no text", TokenFault::wrong_party, [] { return strict(R"(,"azp":["console"])"); }},
    {"azp and client_id differ", TokenFault::wrong_party,
     [] { return strict(R"(,"azp":"console","client_id":"other")"); }},
    {"bound to a certificate that was not shown", TokenFault::wrong_certificate,
     [] {
       return claims_and(R"("cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0"})");
     }},
    {"bound to what is no digest", TokenFault::bound_to_something,
     [] { return claims_and(R"("cnf":{"x5t#S256":"bwcK0esc3ACC3DB2"})"); }},
    {"bound to a digest that is no text", TokenFault::bound_to_something,
     [] { return claims_and(R"("cnf":{"x5t#S256":7})"); }},
    {"bound to a certificate and to another key", TokenFault::bound_to_something,
     [] {
       return claims_and(
           R"("cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0","jkt":"x"})");
     }},
    {"bound to a key, and shown without a proof of it", TokenFault::wrong_key,
     [] { return claims_and(R"("cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})"); }},
    {"bound to nothing known", TokenFault::bound_to_something,
     [] { return claims_and(R"("cnf":null)"); }},
    {"a security event", TokenFault::security_event,
     [] {
       return claims_and(R"("events":{"http://schemas.openid.net/event/backchannel-logout":{}})");
     }},
    {"no sub", TokenFault::no_subject, [] { return claims_with(R"("sub")", R"("sup")"); }},
    {"an empty sub", TokenFault::bad_subject, [] { return claims_with(R"("ann")", R"("")"); }},
    {"sub is a number", TokenFault::bad_subject, [] { return claims_with(R"("ann")", "7"); }},
    {"sub of 261 bytes", TokenFault::bad_subject, [] { return claims_with("ann", text_261); }},
    {"a line end in sub", TokenFault::bad_subject,
     [] { return claims_with("ann", R"(ann\nroot)"); }},
    {"NUL in sub", TokenFault::bad_subject, [] { return claims_with("ann", R"(ann\u0000)"); }},
    {"no groups", TokenFault::no_groups, [] { return claims_with(R"("groups")", R"("grouqs")"); }},
    {"groups are a number", TokenFault::bad_groups,
     [] { return claims_with(R"(["staff","payments"])", "1"); }},
    {"a group is a number", TokenFault::bad_groups,
     [] { return claims_with(R"("payments")", "1"); }},
    {"an empty group", TokenFault::bad_groups, [] { return claims_with("payments", ""); }},
    {"DEL in a group", TokenFault::bad_groups, [] { return claims_with("payments", "a\x7F"); }},
    {"groups in an object", TokenFault::bad_groups,
     [] { return claims_with(R"(["staff","payments"])", R"({"staff":true})"); }},
    {"too many groups", TokenFault::too_many_groups,
     [] { return claims_with(R"(["staff","payments"])", groups(513)); }},
    {"groups that are elsewhere", TokenFault::groups_overage,
     [] {
       return claims_with(R"("groups":["staff","payments"])",
                          R"("_claim_names":{"groups":"src1"},)"
                          R"("_claim_sources":{"src1":{"endpoint":"https://graph.example"}})");
     }},
    {"hasgroups", TokenFault::groups_overage,
     [] { return claims_with(R"("groups":["staff","payments"])", R"("hasgroups":true)"); }},
    {"act is a text", TokenFault::bad_actor, [] { return claims_and(R"("act":"agent")"); }},
    {"act without sub", TokenFault::bad_actor, [] { return claims_and(R"("act":{})"); }},
    {"an actor's sub is a number", TokenFault::bad_actor,
     [] { return claims_and(R"("act":{"sub":1})"); }},
    {"an actor's iss is a number", TokenFault::bad_actor,
     [] { return claims_and(R"("act":{"sub":"agent","iss":1})"); }},
    {"act further in is a list", TokenFault::bad_actor,
     [] { return claims_and(R"("act":{"sub":"agent","act":[]})"); }},
    {"five actors", TokenFault::delegation_too_deep, [] { return claims_and(actors(5)); }},
    {"nine actors", TokenFault::too_complex, [] { return claims_and(actors(9)); }},
};

void check(std::span<const Case> cases, std::set<TokenFault>& seen) {
  const TokenBench bench;
  for (const Case& bad : cases) {
    INFO(bad.name);
    const auto verdict = bench.verify(bad.make());
    CHECK(name(verdict.fault) == name(bad.fault));
    CHECK(verdict.principal.subject.empty());
    seen.insert(bad.fault);
  }
}

}  // namespace

TEST_CASE("a bad token is refused, each for its own reason") {
  REQUIRE(TokenBench().verify(good()).fault == TokenFault::none);
  std::set<TokenFault> seen;
  check(shapes, seen);
  check(headers, seen);
  check(keys, seen);
  check(signatures, seen);
  check(claims, seen);
  seen.insert(TokenFault::none);
  // Of proofs of keys (tests/dataplane/session/dpop_test.cc).
  seen.insert(TokenFault::not_bound);
  // Those from there on are of the gateway's own tokens (gateway_tokens_test.cc) and of proofs
  // (dpop_test.cc).
  for (std::size_t i = 0; i < static_cast<std::size_t>(TokenFault::incomplete); ++i) {
    INFO(name(static_cast<TokenFault>(i)));
    CHECK(seen.contains(static_cast<TokenFault>(i)));
  }
}

TEST_CASE("a reason has a name and a sentence of its own") {
  std::set<std::string_view> names;
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < identity::token_faults; ++i) {
    const auto fault = static_cast<TokenFault>(i);
    CHECK(names.insert(name(fault)).second);
    CHECK(texts.insert(text(fault)).second);
    CHECK_FALSE(text(fault).empty());
  }
}
