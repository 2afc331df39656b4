#include "cli/login_session.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/timestamp.h"
#include "cli/times.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What is left of a token that is given out.
constexpr Duration margin = seconds(30);
/// For the gateway to fetch an issuer's keys.
constexpr int attempts_max = 8;

Json read(const control::HttpReply& reply) {
  return Json::parse(reply.body, nullptr, false);
}

std::string detail_of(const control::HttpReply& reply) {
  const Json page = read(reply);
  return page.is_object() && page.contains("detail") && page["detail"].is_string()
             ? page["detail"].get<std::string>()
             : fmt::format("status {}", reply.status);
}

tl::unexpected<Error> fail_to_log_in(const RemoteGateway& gateway, std::string_view why) {
  return fail(
      fmt::format("{}: sluice login --gateway https://{}:{}", why, gateway.host(), gateway.port()));
}

struct Opened {
  std::string path;
  StoredLogin login;
};

Result<Opened> open_login(const RemoteGateway& gateway) {
  auto path = login_path(gateway.host(), gateway.port());
  if (!path) return tl::unexpected(path.error());
  auto login = read_login(*path);
  if (!login) return tl::unexpected(login.error());
  if (!*login) return fail_to_log_in(gateway, "nobody is logged in there");
  return Opened{std::move(*path), std::move(**login)};
}

/// Newer tokens of the provider's. A refresh token that takes the old one's place is kept.
Result<std::string> refreshed_proof(const RemoteGateway& gateway, Opened& opened) {
  StoredLogin& login = opened.login;
  if (login.refresh.empty()) {
    return fail_to_log_in(gateway, "the provider gave nothing to renew the login by");
  }
  const control::OidcWorld world = control::OidcWorld::real(login.provider_ca, wall_now);
  const auto endpoints = discover_endpoints(login.provider, world);
  if (!endpoints) return tl::unexpected(endpoints.error());
  const auto tokens = ask_for_tokens(endpoints->token,
                                     {{"grant_type", "refresh_token"},
                                      {"refresh_token", login.refresh},
                                      {"client_id", login.provider.client_id}},
                                     world);
  if (!tokens) return fail_to_log_in(gateway, tokens.error().message);
  if (!tokens->refresh.empty() && tokens->refresh != login.refresh) {
    login.refresh = tokens->refresh;
    if (auto done = write_login(opened.path, login); !done) return tl::unexpected(done.error());
  }
  return proof_of(*tokens, login.provider);
}

}  // namespace

Result<std::vector<control::SignInProvider>> sign_in_providers(const RemoteGateway& gateway) {
  const auto reply = gateway.ask({.method = "GET", .target = "/v1/sign-in"});
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return fail(detail_of(*reply));
  std::vector<control::SignInProvider> out;
  try {
    const Json page = Json::parse(reply->body);
    for (const Json& one : page.at("providers")) {
      out.push_back({.name = one.at("name").get<std::string>(),
                     .issuer = one.at("issuer").get<std::string>(),
                     .client_id = one.at("client_id").get<std::string>(),
                     .scopes = one.at("scopes").get<std::vector<std::string>>(),
                     .uses_id_token = one.at("token").get<std::string>() == "id_token"});
    }
  } catch (const Json::exception&) {
    return fail("the gateway's answer is not understood");
  }
  return out;
}

Result<GatewayToken> exchange_proof(const RemoteGateway& gateway, const std::string& proof,
                                    const TokenWish& wish) {
  Json wanted = Json::object();
  if (!wish.target.empty()) wanted["target"] = wish.target;
  if (wish.lifetime) wanted["lifetime_seconds"] = wish.lifetime->ns / 1'000'000'000;
  const control::OidcWorld world = control::OidcWorld::real({}, wall_now);
  for (int attempt = 1;; ++attempt) {
    const auto reply = gateway.ask({.method = "POST",
                                    .target = "/v1/tokens",
                                    .fields = {{"Authorization", "Bearer " + proof}},
                                    .body = wanted.dump()});
    if (!reply) return tl::unexpected(reply.error());
    if (reply->status == 200) {
      const Json page = read(*reply);
      try {
        const auto expires = parse_timestamp(page.at("expires").get<std::string>());
        if (!expires) return fail("the gateway's answer is not understood");
        return GatewayToken{page.at("token").get<std::string>(), page.at("id").get<std::string>(),
                            page.at("subject").get<std::string>(), *expires};
      } catch (const Json::exception&) {
        return fail("the gateway's answer is not understood");
      }
    }
    if (reply->status == 401) return fail("the gateway does not accept the provider's token");
    if (reply->status != 503 || attempt == attempts_max) return fail(detail_of(*reply));
    world.sleep(seconds(1));
  }
}

Result<GatewayToken> current_token(const RemoteGateway& gateway) {
  auto opened = open_login(gateway);
  if (!opened) return tl::unexpected(opened.error());
  if (wall_now() + margin < opened->login.token.expires) return opened->login.token;
  const auto proof = refreshed_proof(gateway, *opened);
  if (!proof) return tl::unexpected(proof.error());
  auto token = exchange_proof(gateway, *proof, {});
  if (!token) return token;
  opened->login.token = *token;
  if (auto done = write_login(opened->path, opened->login); !done) {
    return tl::unexpected(done.error());
  }
  return token;
}

Result<GatewayToken> another_token(const RemoteGateway& gateway, const TokenWish& wish) {
  auto opened = open_login(gateway);
  if (!opened) return tl::unexpected(opened.error());
  const auto proof = refreshed_proof(gateway, *opened);
  if (!proof) return tl::unexpected(proof.error());
  return exchange_proof(gateway, *proof, wish);
}

}  // namespace sluice::cli
