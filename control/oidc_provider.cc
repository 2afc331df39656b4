#include "control/oidc_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/bytes.h"
#include "base/text_codec.h"
#include "config/model/secure_url.h"
#include "control/api/target.h"
#include "identity/json_value.h"

namespace sluice::control {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{256} << 10;

std::string text_at(const identity::JsonValue& object, std::string_view name) {
  const std::string* const found = object.find_text(name);
  return found == nullptr ? std::string() : *found;
}

/// Nothing: it is there, and not secure.
std::optional<std::string> endpoint(const identity::JsonValue& document, std::string_view name) {
  std::string url = text_at(document, name);
  if (!url.empty() && !config::is_secure_url(url)) return std::nullopt;
  return url;
}

bool holds(const identity::JsonValue& audience, const std::string& wanted) {
  return audience.text == wanted || std::ranges::any_of(audience.items, [&wanted](const auto& one) {
           return one.text == wanted;
         });
}

OidcRefusal refusal_of(const HttpsReply& reply) {
  const auto page = identity::read_json_object(reply.body, {});
  const std::string code = page ? text_at(*page, "error") : std::string();
  if (code.empty()) return {.code = {}, .message = fmt::format("status {}", reply.status)};
  const std::string more = text_at(*page, "error_description");
  return {.code = code, .message = more.empty() ? code : fmt::format("{}: {}", code, more)};
}

}  // namespace

OidcWorld OidcWorld::real(const std::string& ca, std::function<WallTime()> now) {
  const auto request = [ca](const std::string& url) {
    return HttpsGet{.url = url, .ca_file = ca, .body_bytes_max = answer_bytes_max};
  };
  return {.get = [request](const std::string& url) { return https_get(request(url)); },
          .post =
              [request](const std::string& url, const std::string& form) {
                auto reply = https_post(request(url), form);
                if (!reply) reply.error().message.insert(0, url + ": ");
                return reply;
              },
          .sleep =
              [](Duration time) { std::this_thread::sleep_for(std::chrono::nanoseconds(time.ns)); },
          .now = std::move(now)};
}

std::optional<SignInProvider> sign_in_provider(const config::OidcIssuer& issuer) {
  if (!issuer.login) return std::nullopt;
  const config::OidcLogin& login = *issuer.login;
  return SignInProvider{
      .name = issuer.name,
      .issuer = issuer.issuer,
      .client_id = login.client_id,
      .scopes = login.scopes.empty() ? std::vector<std::string>{"openid"} : login.scopes,
      // The audience of an ID token is the client (OpenID Connect Core §2).
      .uses_id_token = login.client_id == issuer.audience};
}

std::string form_text(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!out.empty()) out += '&';
    out += name + "=" + api::escaped(value);
  }
  return out;
}

Result<OidcEndpoints> discover_endpoints(const SignInProvider& provider, const OidcWorld& world) {
  std::string base = provider.issuer;
  if (!config::is_secure_url(base)) return fail(fmt::format("'{}' is not https://", base));
  if (base.ends_with('/')) base.pop_back();
  const std::string url = base + "/.well-known/openid-configuration";
  const auto text = world.get(url);
  if (!text) return tl::unexpected(text.error());
  const auto document = identity::read_json_object(*text, {});
  if (!document) return fail(fmt::format("{}: not a JSON object", url));
  if (text_at(*document, "issuer") != provider.issuer) {
    return fail(fmt::format("{}: it is the document of another issuer", url));
  }
  const auto token = endpoint(*document, "token_endpoint");
  const auto authorization = endpoint(*document, "authorization_endpoint");
  const auto device = endpoint(*document, "device_authorization_endpoint");
  if (!token || !authorization || !device || token->empty()) {
    return fail(fmt::format("{}: an endpoint is missing, or is not https://", url));
  }
  const auto* const names_issuer = document->find("authorization_response_iss_parameter_supported");
  return OidcEndpoints{*token, *authorization, *device,
                       names_issuer != nullptr && names_issuer->boolean};
}

Result<OidcTokens, OidcRefusal> ask_for_tokens(const std::string& url, const Form& form,
                                               const OidcWorld& world) {
  const auto reply = world.post(url, form_text(form));
  if (!reply) return tl::unexpected(OidcRefusal{{}, reply.error().message});
  if (reply->status != 200) return tl::unexpected(refusal_of(*reply));
  const auto page = identity::read_json_object(reply->body, {});
  if (!page) return tl::unexpected(OidcRefusal{{}, "the provider's answer is no JSON object"});
  return OidcTokens{text_at(*page, "id_token"), text_at(*page, "access_token"),
                    text_at(*page, "refresh_token")};
}

Result<std::string> proof_of(const OidcTokens& tokens, const SignInProvider& provider) {
  const std::string& proof = provider.uses_id_token ? tokens.id : tokens.access;
  if (!proof.empty()) return proof;
  return fail(
      fmt::format("the provider gave no {} token: the scopes of the gateway's "
                  "configuration may not ask for one",
                  provider.uses_id_token ? "ID" : "access"));
}

Result<void> check_id_token(const std::string& token, const SignInProvider& provider,
                            const std::string& nonce) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos) return fail("the provider's ID token is no JWT");
  const auto bytes = from_base64url(std::string_view(token).substr(first + 1, second - first - 1));
  if (!bytes) return fail("the provider's ID token is no JWT");
  const auto claims = identity::read_json_object(as_text(*bytes), {});
  if (!claims) return fail("the provider's ID token is no JWT");
  if (text_at(*claims, "iss") != provider.issuer) return fail("the ID token is another issuer's");
  const auto* const audience = claims->find("aud");
  if (audience == nullptr || !holds(*audience, provider.client_id)) {
    return fail("the ID token is another client's");
  }
  if (!nonce.empty() && text_at(*claims, "nonce") != nonce) {
    return fail("the ID token is of another sign-in");
  }
  return {};
}

}  // namespace sluice::control
