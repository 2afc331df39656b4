#include "cli/oidc_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/json_value.h"

namespace sluice::cli {
namespace {

constexpr std::int64_t interval_s = 5;   ///< §3.2: where the provider names none,
constexpr std::int64_t slow_down_s = 5;  ///< and §3.5: what it grows by.
constexpr std::int64_t interval_s_max = 60;
constexpr std::int64_t wait_s_max = 30 * 60;

struct Grant {
  std::string device_code;
  DevicePrompt prompt;
  Duration lifetime;
  std::int64_t interval_s = 0;
};

std::int64_t seconds_at(const identity::JsonValue& page, std::string_view name,
                        std::int64_t otherwise, std::int64_t max) {
  const auto* const found = page.find(name);
  if (found == nullptr || found->kind != identity::JsonValue::Kind::number) return otherwise;
  return static_cast<std::int64_t>(std::clamp(found->number, 0.0, static_cast<double>(max)));
}

Result<Grant> ask_for_code(const control::SignInProvider& provider, const std::string& url,
                           const control::OidcWorld& world) {
  const auto reply = world.post(
      url, control::form_text({{"client_id", provider.client_id},
                               {"scope", fmt::format("{}", fmt::join(provider.scopes, " "))}}));
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) {
    return fail(fmt::format("the provider gives no code: status {}", reply->status));
  }
  const auto page = identity::read_json_object(reply->body, {});
  if (!page) return fail("the provider's answer is no JSON object");
  const auto* const code = page->find_text("device_code");
  const auto* const shown = page->find_text("user_code");
  const auto* const place = page->find_text("verification_uri");
  const auto* const whole = page->find_text("verification_uri_complete");
  if (code == nullptr || shown == nullptr || place == nullptr) {
    return fail("the provider's answer has no code");
  }
  return Grant{*code,
               {*place, *shown, whole == nullptr ? std::string() : *whole},
               seconds(seconds_at(*page, "expires_in", wait_s_max, wait_s_max)),
               seconds_at(*page, "interval", interval_s, interval_s_max)};
}

}  // namespace

Result<control::OidcTokens> sign_in_by_device(const control::SignInProvider& provider,
                                              const control::OidcEndpoints& endpoints,
                                              const std::function<void(const DevicePrompt&)>& show,
                                              const control::OidcWorld& world) {
  if (endpoints.device.empty()) return fail("the provider has no device flow");
  auto grant = ask_for_code(provider, endpoints.device, world);
  if (!grant) return tl::unexpected(grant.error());
  show(grant->prompt);
  const WallTime until = world.now() + grant->lifetime;
  while (world.now() < until) {
    world.sleep(seconds(grant->interval_s));
    auto tokens = ask_for_tokens(endpoints.token,
                                 {{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                                  {"device_code", grant->device_code},
                                  {"client_id", provider.client_id}},
                                 world);
    if (tokens) return std::move(*tokens);
    // §3.5: slower when told to, and when the provider cannot be reached.
    const std::string& code = tokens.error().code;
    if (code == "slow_down" || code.empty()) {
      grant->interval_s = std::min(grant->interval_s + slow_down_s, interval_s_max);
    } else if (code != "authorization_pending") {
      return fail(tokens.error().message);
    }
  }
  return fail("nobody agreed in time");
}

}  // namespace sluice::cli
