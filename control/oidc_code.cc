#include "control/oidc_code.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>

#include "audit/sha256.h"
#include "base/assert.h"
#include "base/text_codec.h"
#include "control/api/target.h"

namespace sluice::control {
namespace {

/// 256 bits; RFC 7636 §4.1 asks for 43 characters at least.
std::string unguessable() {
  std::array<std::uint8_t, 32> bytes{};
  ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return to_base64url(bytes);
}

}  // namespace

CodeSecrets CodeSecrets::random() {
  return {unguessable(), unguessable(), unguessable()};
}

std::string authorization_url(const SignInProvider& provider, const OidcEndpoints& endpoints,
                              const std::string& redirect, const CodeSecrets& secrets) {
  const std::string challenge = to_base64url(audit::sha256(as_bytes(secrets.verifier)));
  Form query{
      {"response_type", "code"},     {"client_id", provider.client_id},
      {"redirect_uri", redirect},    {"scope", fmt::format("{}", fmt::join(provider.scopes, " "))},
      {"state", secrets.state},      {"nonce", secrets.nonce},
      {"code_challenge", challenge}, {"code_challenge_method", "S256"}};
  // OpenID Connect Core §11: a provider gives a refresh token to whom the person has agreed to.
  for (const std::string& scope : provider.scopes) {
    if (scope == "offline_access") query.emplace_back("prompt", "consent");
  }
  return endpoints.authorization + "?" + form_text(query);
}

Redirection read_redirection(std::string_view target, std::string_view path,
                             const SignInProvider& provider, const OidcEndpoints& endpoints,
                             const CodeSecrets& secrets) {
  const auto parsed = api::parse_target(target);
  if (!parsed || parsed->path != path) return {};
  std::string state;
  std::string issuer;
  std::string error;
  Redirection out;
  for (const auto& [name, value] : parsed->query) {
    if (name == "state") state = value;
    if (name == "iss") issuer = value;
    if (name == "error") error = value;
    if (name == "code") out.code = value;
  }
  if (state != secrets.state) return {};
  out.is_ours = true;
  // RFC 9207 §2.4: a code of another issuer's is not to be shown to this one.
  const bool is_of_another = issuer.empty() ? endpoints.names_issuer : issuer != provider.issuer;
  if (is_of_another) {
    out.code.clear();
    out.refusal = "the answer is another issuer's";
  } else if (!error.empty()) {
    out.code.clear();
    out.refusal = error;
  } else if (out.code.empty()) {
    out.refusal = "the answer has no code";
  }
  return out;
}

Result<OidcTokens> redeem_code(const std::string& code, const SignInProvider& provider,
                               const OidcEndpoints& endpoints, const std::string& redirect,
                               const CodeSecrets& secrets, const OidcWorld& world) {
  auto tokens = ask_for_tokens(endpoints.token,
                               {{"grant_type", "authorization_code"},
                                {"code", code},
                                {"redirect_uri", redirect},
                                {"client_id", provider.client_id},
                                {"code_verifier", secrets.verifier}},
                               world);
  if (!tokens) return fail(tokens.error().message);
  if (!tokens->id.empty()) {
    if (auto good = check_id_token(tokens->id, provider, secrets.nonce); !good) {
      return tl::unexpected(good.error());
    }
  }
  return std::move(*tokens);
}

}  // namespace sluice::control
