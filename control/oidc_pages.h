// The pages by which people sign in with a browser anywhere: /login names the ways, /login/NAME
// sends the browser to that OpenID Connect provider, and /login/NAME/back, where it comes back to,
// ends with a token of the gateway's own. On the TLS port alone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "control/api/proving.h"
#include "control/http.h"
#include "control/oidc_code.h"
#include "control/source_places.h"
#include "control/token_mint.h"

namespace sluice::control {

/// Remembers nobody: all that ties an answer to its question is derived from a secret in the
/// browser's cookie.
class OidcPages {
 public:
  static constexpr std::size_t secret_bytes = 32;
  /// That speak with a provider at a time, and of one source; more are told to try again.
  static constexpr std::size_t exchanges_max = 8;
  static constexpr std::size_t exchanges_per_source_max = 2;

  struct World {
    std::function<std::vector<config::OidcIssuer>()> issuers;  ///< As configured now.
    std::function<bool()> has_saml;                            ///< There is /saml/login, too.
    /// How this issuer's provider is asked.
    std::function<OidcWorld(const config::OidcIssuer&)> provider;
    /// So many bytes that nobody can guess; empty: there are none.
    std::function<std::vector<std::uint8_t>(std::size_t)> random;
    /// Whom the value of an Authorization field proves.
    std::function<api::Proving(std::string_view authorization, std::string_view source)> identify;
    /// Into the audit log.
    std::function<Result<void>(const audit::Record&)> record;
    std::function<Result<MintedToken, MintRefusal>(const MintRequest&)> mint;
  };
  explicit OidcPages(World world) : world_(std::move(world)) {}

  // Thread-safe.
  /// Nothing: it is none of these pages.
  [[nodiscard]] std::optional<HttpReply> answer(const HttpRequest& request);

 private:
  /// One way in, as this request names it.
  struct Way {
    config::OidcIssuer issuer;
    SignInProvider provider;
    std::string path;      ///< Where the browser comes back to,
    std::string redirect;  ///< and the same as a URL.
  };
  [[nodiscard]] std::optional<Way> way_of(std::string_view name, const HttpRequest& request) const;
  [[nodiscard]] HttpReply list() const;
  [[nodiscard]] HttpReply begin(const Way& way) const;
  [[nodiscard]] HttpReply finish(const Way& way, const HttpRequest& request) const;
  /// The provider's token that proves who signed in.
  [[nodiscard]] Result<std::string> proof_for(const Way& way, const HttpRequest& request,
                                              const OidcWorld& world) const;
  [[nodiscard]] api::Proving prove(const std::string& proof, const HttpRequest& request,
                                   const OidcWorld& world) const;
  [[nodiscard]] HttpReply refuse(const Way& way, const HttpRequest& request,
                                 std::string_view why) const;

  World world_;
  SourcePlaces exchanges_{exchanges_max, exchanges_per_source_max};
};

}  // namespace sluice::control
