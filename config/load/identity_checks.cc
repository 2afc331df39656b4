#include "config/load/identity_checks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "config/load/complaints.h"
#include "config/load/quantity.h"
#include "config/model/certificate_pattern.h"

namespace sluice::config {
namespace {

/// A URL that ends with its host or port.
bool is_origin(std::string_view url) noexcept {
  const std::size_t host = url.find("://");
  return host == url.npos || url.find('/', host + 3) == url.npos;
}

class IdentityChecker : Complaints {
 public:
  using Complaints::Complaints;

  void run() {
    const Identity& identity = settings_.identity;
    const Place place = places_.of_section(&identity, places_.of_section(&settings_, {}));
    const bool has_keys = !identity.api_keys_file.empty() || places_.has(&identity.api_keys_file);
    const bool has_tokens = !identity.oidc.empty() || identity.gateway_tokens;
    if (!has_keys && !has_tokens && !identity.mtls && !identity.allow_anonymous) {
      report(place,
             "nobody could be identified: set identity.api_keys, identity.oidc, identity.mtls or "
             "identity.anonymous");
    }
    if (identity.mtls) check(*identity.mtls);
    check_names(identity.oidc, "issuer");
    for (const OidcIssuer& issuer : identity.oidc) check(issuer);
    check_introspection(identity);
    check_revoked_keys(identity);
    if (identity.gateway_tokens) check(*identity.gateway_tokens);
    if (identity.saml) check(*identity.saml);
    for (const std::string& origin : identity.dpop.origins) {
      if (!is_origin(origin)) {
        report(places_.of(&origin, identity.place),
               fmt::format("'{}' must end with the host or the port", origin));
      }
    }
  }

 private:
  /// It would be replaced by the list, or by the other one.
  void check_revoked_keys(const Identity& identity) {
    const Place place = places_.of(&identity.revoked_keys, identity.place);
    if (identity.revoked_keys == identity.api_keys_file) {
      report(place, "'revoked_keys' must be another file than 'api_keys'");
    }
    if (identity.gateway_tokens && identity.revoked_keys == identity.gateway_tokens->revocations) {
      report(place, "'revoked_keys' must be another file than 'gateway_tokens.revocations'");
    }
  }

  void check(const GatewayTokens& tokens) {
    if (tokens.lifetime <= tokens.lifetime_max) return;
    report(places_.of(&tokens.lifetime, tokens.place),
           fmt::format("'lifetime' ({}) must not be longer than 'max_lifetime' ({})",
                       duration_text(tokens.lifetime), duration_text(tokens.lifetime_max)));
  }

  void check(const SamlProvider& saml) {
    if (!settings_.identity.gateway_tokens) {
      report(saml.place, "a sign-in ends in a token of the gateway's: set identity.gateway_tokens");
    }
    if (!settings_.admin.listen) {
      report(saml.place, "browsers sign in on the control API's TLS port: set admin.listen");
    }
    if (!is_origin(saml.url)) {
      report(places_.of(&saml.url, saml.place), "'url' must end with the host or the port");
    }
    for (const OidcIssuer& issuer : settings_.identity.oidc) {
      if (issuer.name != saml.name) continue;
      report(places_.of(&saml.name, saml.place),
             fmt::format("an OpenID Connect issuer has the name '{}' already", saml.name));
    }
  }

  void check(const ClientCertificates& mtls) {
    const bool is_asked = std::ranges::any_of(settings_.listeners, asks_for_certificate);
    if (!is_asked) {
      report(mtls.place, "no listener asks for certificates: set its tls.client_certificate");
    }
    for (const CertificateRule& rule : mtls.principals) check(rule);
  }

  void check(const CertificateRule& rule) {
    const std::array names{&rule.spiffe, &rule.dns, &rule.email, &rule.subject_name};
    const auto given = std::ranges::count_if(
        names, [this](const std::string* name) { return !name->empty() || places_.has(name); });
    if (given != 1) {
      return report(rule.place, "one of 'spiffe', 'dns', 'email' and 'subject' says whose it is");
    }
    const auto [kind, pattern] = rule.name();
    if (const auto fault = certificate_pattern_fault(kind, pattern)) {
      return report(places_.of(&pattern, rule.place), *fault);
    }
    const auto check_text = [this, &rule, &pattern = pattern](const std::string& text) {
      if (const auto fault = template_fault(text, pattern)) {
        report(places_.of(&text, rule.place), *fault);
      }
    };
    check_text(rule.as);
    for (const std::string& group : rule.groups) check_text(group);
  }

  void check(const OidcIssuer& issuer) {
    for (const OidcIssuer& other : settings_.identity.oidc) {
      if (&other == &issuer) break;
      if (issuer.issuer.empty() || other.issuer != issuer.issuer) continue;
      report(places_.of(&issuer.issuer, issuer.place),
             fmt::format("'{}' is the issuer '{}' already; its tokens could mean either",
                         issuer.issuer, other.name));
    }
    if (issuer.keys_max_age <= issuer.keys_refresh) {
      report(places_.of(&issuer.keys_max_age, issuer.place),
             fmt::format("'keys_max_age' ({}) must be longer than 'keys_refresh' ({})",
                         duration_text(issuer.keys_max_age), duration_text(issuer.keys_refresh)));
    }
    if (!issuer.jwks_file.empty() && !issuer.ca_file.empty() && !issuer.introspection) {
      report(places_.of(&issuer.ca_file, issuer.place),
             "'ca' is for keys that are fetched, and 'jwks' is a file");
    }
  }

  /// What nobody here can read doesn't say whose it is: whoever is asked about it has it then.
  void check_introspection(const Identity& identity) {
    const OidcIssuer* asked = nullptr;
    for (const OidcIssuer& issuer : identity.oidc) {
      if (!issuer.introspection) continue;
      if (asked == nullptr) {
        asked = &issuer;
        check_guessing(identity, issuer.introspection->place);
        continue;
      }
      report(issuer.introspection->place,
             fmt::format("the issuer '{}' is asked about opaque tokens already; two would be shown "
                         "each other's",
                         asked->name));
    }
  }

  /// Who invents tokens uses up how often an issuer may be asked: no source may do so alone.
  void check_guessing(const Identity& identity, const Place& asking) {
    const Rate& rate = identity.failed_proofs_per_source;
    if (rate.count != 0 || places_.has(&rate)) return;
    report(asking,
           "one source that invents tokens could keep out callers whose tokens are not known yet",
           "set identity.failed_proofs_per_source, such as 30/m");
  }
};

}  // namespace

void check_identity(const Settings& settings, const Places& places,
                    std::vector<Problem>& problems) {
  IdentityChecker(settings, places, problems).run();
}

}  // namespace sluice::config
