// sluice token: a short-lived token of the gateway's own, and its revocation.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "config/load/load.h"
#include "control/api/target.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "token";
constexpr std::int64_t ns_per_second = 1'000'000'000;

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

}  // namespace

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
  const auto reply = ask_gateway(verb, options.gateway,
                                 {.method = "POST", .target = "/v1/tokens", .body = wanted.dump()});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
    return ExitCode::ok;
  }
  const Json page = Json::parse(reply.body);
  // Alone on stdout, so that it can be put into a variable or a file.
  fmt::print("{}\n", page.at("token").get<std::string>());
  fmt::print(stderr, "token {} of {}, good until {}\n", page.at("id").get<std::string>(),
             page.at("subject").get<std::string>(), page.at("expires").get<std::string>());
  return ExitCode::ok;
}

ExitCode perform(const TokenRevokeOptions& options) {
  const auto reply = ask_gateway(
      verb, options.gateway,
      {.method = "POST",
       .target = fmt::format("/v1/tokens/{}/revoke", control::api::escaped(options.id))});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
  } else {
    fmt::print("revoked {}\n", options.id);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
