// Tokens of the gateway's own.
#include <strings.h>

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"
#include "control/oidc_provider.h"
#include "control/unix_peer.h"

namespace sluice::control::api {
namespace {

using Json = nlohmann::ordered_json;

int status_of(MintRefusal::Kind kind) {
  switch (kind) {
    case MintRefusal::Kind::invalid:
      return 422;
    case MintRefusal::Kind::denied:
      return 403;
    case MintRefusal::Kind::unavailable:
      return 503;
  }
  return 503;
}

tl::unexpected<Problem> refuse(const MintRefusal& refusal) {
  return api::refuse(status_of(refusal.kind), refusal.message);
}

MintRequest request_of(const Asked& asked) {
  MintRequest out;
  out.credential = asked.text("credential");
  out.subject = asked.text("subject");
  out.groups = asked.texts("groups");
  out.target = asked.text("target");
  // Else whoever calls asks for itself.
  if (out.credential.empty() && out.subject.empty() && out.groups.empty()) {
    out.proved = asked.caller.credential;
  }
  out.by = asked.caller.name();
  out.is_operator = asked.caller.user && is_operator(*asked.caller.user);
  if (asked.has("lifetime_seconds")) {
    out.lifetime = seconds(static_cast<std::int64_t>(asked.count("lifetime_seconds")));
  }
  return out;
}

std::string text_of(const MintedToken& minted) {
  Json page{{"token", minted.token},
            {"id", minted.id},
            {"subject", minted.subject},
            {"groups", minted.groups},
            {"expires", timestamp_text(minted.expires)}};
  if (!minted.target.empty()) page["target"] = minted.target;
  return page.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Outcome<std::string> sign_in(const Actions& actions, const Asked&) {
  Json providers = Json::array();
  for (const config::OidcIssuer& issuer : actions.issuers()) {
    const auto provider = sign_in_provider(issuer);
    if (!provider) continue;
    providers.push_back({{"name", provider->name},
                         {"issuer", provider->issuer},
                         {"client_id", provider->client_id},
                         {"scopes", provider->scopes},
                         {"token", provider->uses_id_token ? "id_token" : "access_token"}});
  }
  return Json{{"providers", std::move(providers)}}.dump(-1, ' ', false,
                                                        Json::error_handler_t::replace);
}

Outcome<std::string> mint_token(const Actions& actions, const Asked& asked) {
  // Failures to prove one are counted where the field is read.
  if (asked.has("credential") && !asked.caller.user) {
    return api::refuse(422, "show the credential in the Authorization field");
  }
  MintRequest wanted = request_of(asked);
  const auto minted = actions.mint(wanted);
  explicit_bzero(wanted.credential.data(), wanted.credential.size());
  if (!minted) return refuse(minted.error());
  return text_of(*minted);
}

Outcome<std::string> revoke_token(const Actions& actions, const Asked& asked) {
  const std::string id = asked.text("id");
  const auto revoked = actions.revoke(id, asked.caller.name());
  if (!revoked) return refuse(revoked.error());
  return Json{{"revoked", id}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::control::api
