#include "control/oidc_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "audit/sha256.h"
#include "base/text_codec.h"
#include "control/api/target.h"
#include "control/web_page.h"

namespace sluice::control {
namespace {

constexpr std::string_view cookie = "__Host-sluice-login";
/// For a person to sign in with the provider.
constexpr std::int64_t sign_in_seconds = 600;
/// For the gateway to fetch an issuer's keys.
constexpr int proofs_max = 5;

/// All three from the secret that the browser keeps, for this way alone: neither shows another, and
/// nothing has to be remembered here.
CodeSecrets secrets_of(std::string_view secret, const std::string& redirect) {
  const auto derived = [&](std::string_view what) {
    return to_base64url(audit::sha256(as_bytes(fmt::format("{}\n{}\n{}", what, redirect, secret))));
  };
  return {.verifier = derived("verifier"), .state = derived("state"), .nonce = derived("nonce")};
}

std::string cookie_with(std::string_view secret, std::int64_t seconds) {
  // The provider sends the browser back by a redirection.
  return set_cookie(cookie, secret, SameSite::lax, seconds);
}

}  // namespace

std::optional<HttpReply> OidcPages::answer(const HttpRequest& request) {
  const auto target = api::parse_target(request.target);
  if (!target || target->segments.empty() || target->segments.front() != "login") {
    return std::nullopt;
  }
  const auto& segments = target->segments;
  if (segments.size() > 3 || (segments.size() == 3 && segments[2] != "back")) return std::nullopt;
  if (request.method != "GET") return only_method("GET");
  if (segments.size() == 1) return list();
  const auto way = way_of(segments[1], request);
  if (!way) return std::nullopt;
  const SourcePlaces::Place place(exchanges_, request.tcp_peer ? request.tcp_peer->source : "");
  if (!place) return plain_page(503, "try again");
  return segments.size() == 2 ? begin(*way) : finish(*way, request);
}

std::optional<OidcPages::Way> OidcPages::way_of(std::string_view name,
                                                const HttpRequest& request) const {
  auto issuers = world_.issuers();
  const auto found = std::ranges::find(issuers, name, &config::OidcIssuer::name);
  if (found == issuers.end()) return std::nullopt;
  auto provider = sign_in_provider(*found);
  if (!provider) return std::nullopt;
  // A refresh token is of no use here, and its scope would have the person asked each time.
  std::erase(provider->scopes, "offline_access");
  std::string path = fmt::format("/login/{}/back", api::escaped(name));
  // By the name that the browser knows this host by; the provider's list says which are right.
  std::string redirect = fmt::format("https://{}{}", field_value(request.fields, "host"), path);
  return Way{std::move(*found), std::move(*provider), std::move(path), std::move(redirect)};
}

HttpReply OidcPages::list() const {
  std::string ways;
  const auto add = [&ways](std::string_view path, std::string_view name) {
    ways += fmt::format("<p><a href=\"{}\">Sign in with {}</a></p>\n", escaped_html(path),
                        escaped_html(name));
  };
  for (const config::OidcIssuer& issuer : world_.issuers()) {
    if (issuer.login) add(fmt::format("/login/{}", api::escaped(issuer.name)), issuer.name);
  }
  if (world_.has_saml()) add("/saml/login", "SAML");
  if (ways.empty()) ways = "<p>This gateway lets nobody sign in.</p>\n";
  return html_page(200, "Sign in", ways);
}

HttpReply OidcPages::begin(const Way& way) const {
  const auto random = world_.random(secret_bytes);
  if (random.size() != secret_bytes) return plain_page(503, "try again");
  const auto endpoints = discover_endpoints(way.provider, world_.provider(way.issuer));
  if (!endpoints || endpoints->authorization.empty()) {
    return plain_page(503, "the provider cannot be reached: try again");
  }
  const std::string secret = to_base64url(random);
  return plain_page(302, "to the provider",
                    {{"Location", authorization_url(way.provider, *endpoints, way.redirect,
                                                    secrets_of(secret, way.redirect))},
                     {"Set-Cookie", cookie_with(secret, sign_in_seconds)}});
}

HttpReply OidcPages::finish(const Way& way, const HttpRequest& request) const {
  const OidcWorld world = world_.provider(way.issuer);
  const auto proof = proof_for(way, request, world);
  if (!proof) return refuse(way, request, proof.error().message);
  auto proving = prove(*proof, request, world);
  if (proving.state == api::Proving::State::awaits_keys) {
    return plain_page(503, "the issuer's keys are being fetched: try again");
  }
  if (proving.state != api::Proving::State::proved) return refuse(way, request, proving.fault);
  MintRequest wanted;
  wanted.by = proving.who.subject;
  wanted.proved = std::move(proving.who);
  return token_page(world_.mint(wanted), {{"Set-Cookie", cookie_with("", 0)}});
}

Result<std::string> OidcPages::proof_for(const Way& way, const HttpRequest& request,
                                         const OidcWorld& world) const {
  const std::string_view secret = cookie_of(request, cookie);
  if (secret.size() != (secret_bytes * 4 + 2) / 3) return fail("the browser is another one");
  const auto endpoints = discover_endpoints(way.provider, world);
  if (!endpoints) return tl::unexpected(endpoints.error());
  const CodeSecrets secrets = secrets_of(secret, way.redirect);
  const Redirection came =
      read_redirection(request.target, way.path, way.provider, *endpoints, secrets);
  if (!came.is_ours) return fail("the answer is to another sign-in");
  if (came.code.empty()) return fail(came.refusal);
  const auto tokens =
      redeem_code(came.code, way.provider, *endpoints, way.redirect, secrets, world);
  if (!tokens) return tl::unexpected(tokens.error());
  return proof_of(*tokens, way.provider);
}

api::Proving OidcPages::prove(const std::string& proof, const HttpRequest& request,
                              const OidcWorld& world) const {
  const std::string source = request.tcp_peer ? request.tcp_peer->source : std::string();
  for (int tries = 1;; ++tries) {
    auto proving = world_.identify("Bearer " + proof, source);
    if (proving.state != api::Proving::State::awaits_keys || tries == proofs_max) return proving;
    world.sleep(seconds(1));
  }
}

HttpReply OidcPages::refuse(const Way& way, const HttpRequest& request,
                            std::string_view why) const {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = "sign-in-refused";
  record.issuer = way.issuer.name;
  record.proof = text(config::Proof::oidc);
  record.reason = why;
  if (request.tcp_peer) record.peer = request.tcp_peer->address;
  // What was refused stays so, whether or not the log takes it now.
  static_cast<void>(world_.record(record));
  return html_page(403, "Not signed in",
                   "<p>The sign-in was not accepted. <a href=\"/login\">Try again</a>; the "
                   "gateway's operator sees why in the audit log.</p>\n");
}

}  // namespace sluice::control
