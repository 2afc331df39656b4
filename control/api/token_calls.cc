// Tokens of the gateway's own.
#include <strings.h>

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"

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
  out.user = asked.caller.user;
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
  return page.dump();
}

}  // namespace

Outcome<std::string> mint_token(const Actions& actions, const Asked& asked) {
  MintRequest wanted = request_of(asked);
  const auto minted = actions.mint(wanted);
  explicit_bzero(wanted.credential.data(), wanted.credential.size());
  if (!minted) return refuse(minted.error());
  return text_of(*minted);
}

Outcome<std::string> revoke_token(const Actions& actions, const Asked& asked) {
  const std::string id = asked.text("id");
  const auto revoked = actions.revoke(id, asked.caller.user);
  if (!revoked) return refuse(revoked.error());
  return Json{{"revoked", id}}.dump();
}

}  // namespace sluice::control::api
