// What an issuer may say of a token: anything. Oracles: the same answer gets the same verdict, each
// refusal has a reason, and whom it proves is within what is asked for.
#include <algorithm>
#include <cstdlib>

#include "identity/introspection.h"
#include "identity/oidc.h"

namespace {

using namespace sluice;
using namespace sluice::identity;

constexpr WallTime now{1'800'000'000'000'000'000};
constexpr std::string_view token = "G3mQmWm3p2ZJ-0pVq8uRtA";

config::OidcIssuer issuer() {
  config::OidcIssuer one;
  one.name = "fuzz";
  one.issuer = "https://id";
  one.audience = "sluice";
  one.groups_claim = "groups";
  one.introspection.emplace();
  return one;
}

bool is_within(const config::Principal& who, const config::OidcIssuer& asked) {
  const auto is_name = [](const std::string& text) {
    return !text.empty() && text.size() <= claim_bytes_max;
  };
  return who.proof == config::Proof::introspection && who.expires > now &&
         who.expires <= now + asked.introspection->cache && is_name(who.subject) &&
         std::ranges::all_of(who.groups, is_name) && who.groups.size() <= token_groups_max &&
         who.actors.size() <= token_actors_max &&
         who.credential_id.find(token) == std::string::npos &&
         (who.bound_key.empty() || who.bound_certificate.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const config::OidcIssuer asked = issuer();
  const std::string_view said = as_text({data, size});
  const auto verdict = judge_introspection(said, asked, token, now);
  const auto again = judge_introspection(said, asked, token, now);
  if (verdict.has_value() != again.has_value()) std::abort();
  if (verdict) {
    if (!is_within(*verdict, asked) || again->subject != verdict->subject) std::abort();
    // Nobody is proved by what does not say so.
    if (said.find("active") == said.npos && said.find('\\') == said.npos) std::abort();
  } else if (verdict.error() != again.error() || verdict.error() == TokenFault::none ||
             text(verdict.error()).empty()) {
    std::abort();
  }
  return 0;
}
