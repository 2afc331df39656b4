// The configuration's section `identity`: how callers prove who they are.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "config/model/certificate_pattern.h"
#include "config/model/values.h"

namespace sluice::config {

/// How people sign in with an issuer, to get a token of the gateway's own.
struct OidcLogin {
  std::string client_id;            ///< Of a public client: one without a secret.
  std::vector<std::string> scopes;  ///< Asked for; empty: "openid".
};

/// How an issuer is asked about tokens that only it can read (RFC 7662).
struct OidcIntrospection {
  std::string endpoint;   ///< A URL; empty: it is found by discovery.
  std::string client_id;  ///< As whom the gateway asks.
  Secret client_secret;
  Duration cache = seconds(60);   ///< How long an answer is believed.
  Duration timeout = seconds(2);  ///< Of one question.
  Rate rate{100, seconds(1)};     ///< Of questions, all workers' together; 0: any number.
  Place place;
};

/// An OpenID Connect provider whose tokens are taken.
struct OidcIssuer {
  std::string name;
  std::string issuer;     ///< A URL; equal to `iss` of its tokens, byte for byte.
  std::string audience;   ///< One of `aud`.
  std::string jwks_file;  ///< Path of its keys; empty: they are found by discovery.
  std::string ca_file;    ///< Who may have signed its certificate; empty: the system's.
  std::vector<std::string> algorithms;  ///< As jws_algorithm_names has them; empty: all.
  bool untyped = false;                 ///< Tokens without `typ` are taken.
  std::string subject_claim = "sub";
  std::string groups_claim;                     ///< A path with dots; empty: no groups.
  std::string prefix;                           ///< Of its subjects and groups.
  std::vector<std::string> authorized_parties;  ///< Of `azp` and `client_id`; empty: any.
  Duration clock_skew = seconds(60);
  Duration keys_refresh = seconds(600);
  Duration keys_max_age = seconds(86'400);         ///< Since they were last fetched.
  std::optional<OidcLogin> login;                  ///< Nothing: nobody signs in with it.
  std::optional<OidcIntrospection> introspection;  ///< Nothing: it is asked about no token.
  Place place;
};

/// Tokens of the gateway's own.
struct GatewayTokens {
  Secret key;                          ///< An Ed25519 private key as PEM.
  std::optional<Secret> previous_key;  ///< One that signed before.
  Duration lifetime = seconds(3'600);  ///< Of a token for which none is asked for.
  Duration lifetime_max = seconds(12 * 3'600);
  std::string revocations = "/var/lib/sluice/revoked_tokens";  ///< Path of the list.
  Place place;
};

/// Who the holder of a client certificate is, by one of its names.
struct CertificateRule {
  // A pattern; exactly one of the four (certificate_pattern.h).
  std::string spiffe;
  std::string dns;
  std::string email;
  std::string subject_name;
  std::string as;                   ///< The principal's subject, with "{1}" for the first '*';
                                    ///< empty: the name.
  std::vector<std::string> groups;  ///< Likewise.
  Place place;

  /// Which name the rule looks at, and the pattern.
  [[nodiscard]] std::pair<CertificateName, const std::string&> name() const noexcept {
    if (!spiffe.empty()) return {CertificateName::spiffe, spiffe};
    if (!dns.empty()) return {CertificateName::dns, dns};
    if (!email.empty()) return {CertificateName::email, email};
    return {CertificateName::subject, subject_name};
  }
};

/// Certificates by which clients of listeners with TLS prove who they are.
struct ClientCertificates {
  FileText client_ca;  ///< Who may have signed them.
  FileText crl;        ///< Those that were revoked; without a path: nobody asks.
  std::vector<CertificateRule> principals;  ///< The first that fits; none: SPIFFE IDs as they are.
  Place place;
};

/// The SAML 2.0 identity provider by which people sign in, and this gateway as it knows it.
struct SamlProvider {
  std::string name;
  std::string issuer;              ///< The provider's entity ID, byte for byte.
  std::string sso_url;             ///< Its page; perhaps with a query.
  FileText provider_certificates;  ///< Of its keys.
  std::string url;                 ///< Where browsers reach this gateway, without a path.
  std::string entity_id;           ///< This gateway's; empty: where its metadata is.
  Secret key;                      ///< An RSA key as PEM, which signs requests.
  FileText certificate;            ///< Of that key, for the metadata.
  std::string subject_attribute;   ///< Empty: the NameID.
  std::string groups_attribute;    ///< Empty: no groups.
  std::string prefix;              ///< Of its subjects and groups.
  Duration clock_skew = seconds(60);
  Duration sign_in_timeout = seconds(600);  ///< From the request to the response.
  Place place;

  [[nodiscard]] std::string own_entity_id() const {
    return entity_id.empty() ? url + "/saml/metadata" : entity_id;
  }
  /// Where responses are posted.
  [[nodiscard]] std::string consumer_url() const { return url + "/saml/acs"; }
};

/// Proofs that a token's bearer has the key that the token is bound to (RFC 9449).
struct Dpop {
  Duration max_age = seconds(60);  ///< How long ago a proof may have been made.
  /// Where clients reach listeners, as "https://api.example.com"; empty: what each listener sees.
  std::vector<std::string> origins;
};

struct Identity {
  std::string api_keys_file;                                  ///< Empty: no API keys.
  std::string revoked_keys = "/var/lib/sluice/revoked_keys";  ///< Path of the list.
  std::vector<OidcIssuer> oidc;
  std::optional<GatewayTokens> gateway_tokens;
  std::optional<ClientCertificates> mtls;
  std::optional<SamlProvider> saml;
  Dpop dpop;
  Rate failed_proofs_per_source;  ///< At each worker; 0: any number.
  bool allow_anonymous = false;   ///< Requests without a credential get the anonymous principal.
  Place place;
};

}  // namespace sluice::config
