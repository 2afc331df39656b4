// Tokens of anyone's choosing, against keys whose private halves nobody here has.
//
// The input is "header\0claims\0signature", each before base64url; without a zero byte it is
// the token as it stands. Oracles: none is believed, each refusal has a reason, and the same
// token gets the same verdict.
#include <cstdlib>
#include <string>

#include "base/text_codec.h"
#include "identity/gateway_tokens.h"

namespace {

using namespace sluice;
using namespace sluice::identity;

constexpr WallTime now{1'800'000'000'000'000'000};

/// RFC 7515, appendices A.2 and A.3; RFC 8037, appendix A.2.
constexpr const char* published =
    R"({"keys":[{"kty":"RSA","kid":"rsa","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},{"kty":"EC","kid":"ec","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

struct Scene {
  Scene() {
    config::OidcIssuer& issuer = issuers.emplace_back();
    issuer.name = "fuzz";
    issuer.issuer = "https://id";
    issuer.audience = "sluice";
    issuer.untyped = true;
    issuer.groups_claim = "a.groups";
    auto set = parse_jwk_set(published);
    if (!set) std::abort();
    keys.generation = 1;
    keys.issuers.push_back(
        {issuer.issuer, std::make_shared<const JwkSet>(std::move(*set)), now + seconds(60), 1, {}});
    gateway = keys.issuers.back();
    gateway.issuer = gateway_issuer;
  }
  [[nodiscard]] TokenTrust trust() const { return {issuers, keys, &gateway, revoked}; }

  std::vector<config::OidcIssuer> issuers;
  TokenKeys keys;
  IssuerKeys gateway;
  RevokedTokens revoked;
};

std::string token_of(std::string_view input) {
  if (input.find('\0') == input.npos) return std::string(input);
  std::string token;
  for (int part = 0; part < 3; ++part) {
    const std::size_t end = part < 2 ? input.find('\0') : input.npos;
    if (part != 0) token += '.';
    token += to_base64url(as_bytes(input.substr(0, end)));
    input.remove_prefix(end == input.npos ? input.size() : end + 1);
  }
  return token;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scene scene;
  const std::string token = token_of(as_text({data, size}));
  const TokenVerdict verdict = verify_token(token, scene.trust(), now);
  if (verdict.fault == TokenFault::none || !verdict.principal.subject.empty()) std::abort();
  if (text(verdict.fault).empty()) std::abort();
  if (verify_token(token, scene.trust(), now).fault != verdict.fault) std::abort();
  return 0;
}
