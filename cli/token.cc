// sluice token: a short-lived token of the gateway's own, and its revocation.
#include "cli/token.h"

#include <strings.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "config/load/load.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;
using control::HttpReply;
using control::HttpRequest;
using control::MintRefusal;

constexpr std::string_view verb = "token";
constexpr std::int64_t ns_per_second = 1'000'000'000;

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

ExitCode code_of(int status) {
  switch (status) {
    case 403:
      return ExitCode::denied;
    case 422:
      return ExitCode::usage;
    case 503:
      return ExitCode::try_again;
    default:
      return ExitCode::failed;
  }
}

HttpReply reply_with(int status, const Json& page) {
  // Nothing of this is to be kept by anyone on the way.
  return {.status = status,
          .content_type = "application/json",
          .body = page.dump() + "\n",
          .fields = {{"Cache-Control", "no-store"}}};
}

HttpReply reply_with(const MintRefusal& refusal) {
  return reply_with(status_of(refusal.kind), {{"error", refusal.message}});
}

Json json_of(const control::MintedToken& minted) {
  Json page{{"token", minted.token},
            {"id", minted.id},
            {"subject", minted.subject},
            {"groups", minted.groups},
            {"expires", timestamp_text(minted.expires)}};
  if (!minted.target.empty()) page["target"] = minted.target;
  return page;
}

/// Throws what nlohmann throws.
control::MintRequest request_of(const HttpRequest& request) {
  const Json page = Json::parse(request.body);
  control::MintRequest out;
  out.credential = page.value("credential", std::string());
  out.subject = page.value("subject", std::string());
  out.groups = page.value("groups", std::vector<std::string>());
  out.target = page.value("target", std::string());
  if (page.contains("lifetime_seconds")) {
    // More than this is too long in any unit.
    constexpr std::int64_t longest = std::int64_t{1} << 32;
    const auto wanted = page.at("lifetime_seconds").get<std::int64_t>();
    out.lifetime = Duration{std::clamp<std::int64_t>(wanted, 0, longest) * ns_per_second};
  }
  out.user = request.user;
  return out;
}

/// What "file:PATH" or "env:NAME" holds: a credential on the command line would be in the
/// process table and in the shell's history.
Result<std::string> credential_at(const std::string& reference) {
  const config::World world = config::World::real();
  std::optional<std::string> found;
  if (reference.starts_with("file:")) {
    found = world.read_file(reference.substr(5));
    if (!found) return fail(fmt::format("cannot read '{}'", reference.substr(5)));
  } else if (reference.starts_with("env:")) {
    found = world.environment(reference.substr(4));
    if (!found) return fail(fmt::format("'{}' is not set", reference.substr(4)));
  } else {
    return fail("--credential takes file:PATH or env:NAME, not the credential itself");
  }
  while (found->ends_with('\n') || found->ends_with('\r')) found->pop_back();
  if (found->empty()) return fail(fmt::format("'{}' is empty", reference));
  return std::move(*found);
}

struct Reply {
  ExitCode code = ExitCode::ok;
  Json page;
};

/// Complains where the gateway refuses.
Reply ask(const AdminTarget& gateway, const HttpRequest& request) {
  const auto answer = ask_gateway(verb, gateway, request);
  if (answer.code != ExitCode::ok) return {answer.code, {}};
  Json page = Json::parse(answer.reply.body, nullptr, false);
  if (!page.is_object()) return {complain(verb, answer.reply.body, ExitCode::failed), {}};
  if (answer.reply.status == 200) return {ExitCode::ok, std::move(page)};
  const auto why = page.value("error", answer.reply.body);
  return {complain(verb, why, code_of(answer.reply.status)), {}};
}

}  // namespace

HttpReply mint_token(control::TokenMint& mint, const control::MintBasis& basis,
                     const HttpRequest& request,
                     const std::function<void(std::string_view)>& ask_keys) {
  control::MintRequest wanted;
  try {
    wanted = request_of(request);
  } catch (const Json::exception&) {
    // What was sent may hold a credential: it is not repeated.
    return reply_with(422, {{"error", "that is no request for a token"}});
  }
  const auto minted = mint.mint(wanted, basis);
  explicit_bzero(wanted.credential.data(), wanted.credential.size());
  if (minted) return reply_with(200, json_of(*minted));
  if (!minted.error().issuer.empty()) ask_keys(minted.error().issuer);
  return reply_with(minted.error());
}

HttpReply revoke_token(control::TokenMint& mint, const control::MintBasis& basis,
                       const HttpRequest& request, const std::function<Result<void>()>& adopt) {
  const Json page = Json::parse(request.body, nullptr, false);
  const auto id = page.is_object() ? page.find("id") : page.end();
  if (id == page.end() || !id->is_string()) {
    return reply_with(422, {{"error", "it needs the token's id"}});
  }
  const auto revoked = mint.revoke(id->get<std::string>(), request.user, basis);
  if (!revoked) return reply_with(revoked.error());
  if (auto done = adopt(); !done) {
    return reply_with(503, {{"error", done.error().message}});
  }
  return reply_with(200, {{"revoked", *id}});
}

ExitCode perform(const TokenOptions& options) {
  Json wanted = Json::object();
  if (options.credential.empty() == options.subject.empty()) {
    return complain(verb, "say who asks with --credential, or as operator for whom with --subject",
                    ExitCode::usage);
  }
  if (!options.credential.empty()) {
    auto credential = credential_at(options.credential);
    if (!credential) return complain(verb, credential.error().message, ExitCode::usage);
    wanted["credential"] = std::move(*credential);
  } else {
    wanted["subject"] = options.subject;
  }
  if (!options.groups.empty()) wanted["groups"] = options.groups;
  if (!options.target.empty()) wanted["target"] = options.target;
  if (!options.lifetime.empty()) {
    const WallTime now = wall_now();
    const auto end = parse_time(options.lifetime, now, true);
    if (!end) return complain(verb, end.error().message, ExitCode::usage);
    wanted["lifetime_seconds"] = (*end - now).ns / ns_per_second;
  }
  const auto reply =
      ask(options.gateway, {.method = "POST", .target = "/tokens", .body = wanted.dump()});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}\n", reply.page.dump());
    return ExitCode::ok;
  }
  // Alone on stdout, so that it can be put into a variable or a file.
  fmt::print("{}\n", reply.page.at("token").get<std::string>());
  fmt::print(stderr, "token {} of {}, good until {}\n", reply.page.at("id").get<std::string>(),
             reply.page.at("subject").get<std::string>(),
             reply.page.at("expires").get<std::string>());
  return ExitCode::ok;
}

ExitCode perform(const TokenRevokeOptions& options) {
  const Json wanted{{"id", options.id}};
  const auto reply =
      ask(options.gateway, {.method = "POST", .target = "/tokens/revoke", .body = wanted.dump()});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}\n", reply.page.dump());
  } else {
    fmt::print("revoked {}\n", options.id);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
