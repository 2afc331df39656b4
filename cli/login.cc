// sluice login: a person signs in with a provider, and gets a token of the gateway's own.
#include <fmt/format.h>
#include <spawn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/login_session.h"
#include "cli/oidc_device.h"
#include "cli/oidc_loopback.h"
#include "cli/output.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "control/shown_text.h"

namespace sluice::cli {
namespace {

using control::shown_text;

constexpr std::string_view verb = "login";

/// The one of that name, or the only one.
Result<control::SignInProvider> choose(std::vector<control::SignInProvider> providers,
                                       const std::string& name) {
  if (providers.empty()) return fail("the gateway lets nobody sign in: identity.oidc[].login");
  std::string names;
  for (const control::SignInProvider& one : providers)
    names += (names.empty() ? "" : ", ") + one.name;
  if (name.empty() && providers.size() == 1) return std::move(providers.front());
  const auto found = std::ranges::find(providers, name, &control::SignInProvider::name);
  if (found != providers.end()) return std::move(*found);
  return fail(fmt::format("say with whom, by --provider: {}", shown_text(names)));
}

/// Where there is a desktop. The URL is printed in any case.
void open_in_browser(const std::string& url) {
  if (std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr) return;
  std::string program = "xdg-open";
  std::string argument = url;
  const std::array<char*, 3> words{program.data(), argument.data(), nullptr};
  pid_t child = 0;
  static_cast<void>(
      ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, words.data(), environ));
}

Result<control::OidcTokens> sign_in(const LoginOptions& options,
                                    const control::SignInProvider& provider,
                                    const control::OidcWorld& world) {
  const auto endpoints = discover_endpoints(provider, world);
  if (!endpoints) return tl::unexpected(endpoints.error());
  if (options.device) {
    return sign_in_by_device(
        provider, *endpoints,
        [](const DevicePrompt& prompt) {
          fmt::print(stderr, "On any device open {}\nand enter the code {}\n",
                     shown_text(prompt.url), shown_text(prompt.code));
          if (prompt.whole_url.empty()) return;
          fmt::print(stderr, "or open {}\n", shown_text(prompt.whole_url));
        },
        world);
  }
  return sign_in_by_code(
      provider, *endpoints,
      [](const std::string& url) {
        fmt::print(stderr, "In a browser on this host open {}\n", shown_text(url));
        open_in_browser(url);
      },
      world);
}

}  // namespace

ExitCode perform(const LoginOptions& options) {
  const auto gateway = RemoteGateway::at(options.gateway, options.ca);
  if (!gateway) return complain(verb, gateway.error().message, ExitCode::usage);
  TokenWish wish;
  if (!options.lifetime.empty()) {
    const WallTime now = wall_now();
    const auto end = parse_time(options.lifetime, now, true);
    if (!end) return complain(verb, end.error().message, ExitCode::usage);
    wish.lifetime = *end - now;
  }
  auto providers = sign_in_providers(*gateway);
  if (!providers) return complain(verb, providers.error().message, ExitCode::failed);
  const auto provider = choose(std::move(*providers), options.provider);
  if (!provider) return complain(verb, provider.error().message, ExitCode::usage);
  const auto path = login_path(gateway->host(), gateway->port());
  if (!path) return complain(verb, path.error().message, ExitCode::failed);

  const auto tokens =
      sign_in(options, *provider, control::OidcWorld::real(options.provider_ca, wall_now));
  if (!tokens) return complain(verb, shown_text(tokens.error().message), ExitCode::denied);
  const auto proof = proof_of(*tokens, *provider);
  if (!proof) return complain(verb, proof.error().message, ExitCode::failed);
  const auto token = exchange_proof(*gateway, *proof, wish);
  if (!token) return complain(verb, shown_text(token.error().message), ExitCode::denied);
  const StoredLogin login{*token, *provider, options.provider_ca, tokens->refresh};
  if (auto done = write_login(*path, login); !done) {
    return complain(verb, done.error().message, ExitCode::failed);
  }
  const std::string until = timestamp_text(token->expires);
  if (options.json) {
    const nlohmann::ordered_json page{
        {"subject", token->subject}, {"id", token->id}, {"expires", until}, {"file", *path}};
    fmt::print("{}\n", page.dump());
  } else {
    fmt::print("logged in as {} until {}\n", shown_text(token->subject), until);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
