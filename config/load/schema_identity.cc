#include "config/load/schema_identity.h"

#include <array>

#include "config/load/schema_builder.h"

namespace sluice::config {
namespace {

using namespace schema;

constexpr std::array oidc_login_fields{
    text<&OidcLogin::client_id>("client_id", Word::subject, required,
                                "A public client of the issuer's that may use the device flow, or "
                                "authorization codes with PKCE and a loopback redirect. Where it "
                                "is `audience`, too, the ID token proves who signs in; else the "
                                "access token does."),
    texts<&OidcLogin::scopes>("scopes", Word::subject, 16,
                              "What is asked for, such as `openid` and `offline_access`; without "
                              "it `openid`.")};
constexpr Table oidc_login_table{
    .title = "Signing in with an issuer",
    .path = "identity.oidc[].login",
    .sentence = "For `sluice login`, which ends in a token of the gateway's own.",
    .fields = oidc_login_fields,
    .make = make_owner<OidcLogin>};

constexpr std::array introspection_fields{
    text<&OidcIntrospection::endpoint>("endpoint", Word::page_url, not_required,
                                       "Where the issuer is asked; without it discovery says it."),
    text<&OidcIntrospection::client_id>("client_id", Word::subject, required,
                                        "The client of the issuer's as which the gateway asks."),
    secret<&OidcIntrospection::client_secret>("client_secret", required, "Its secret."),
    duration<&OidcIntrospection::cache>("cache", seconds(1), seconds(3'600),
                                        "How long an answer is believed, and so how long a token "
                                        "that is revoked may go on; not longer than the token."),
    duration<&OidcIntrospection::timeout>("timeout", milliseconds(100), seconds(4),
                                          "Of one question."),
    rate<&OidcIntrospection::rate>("rate",
                                   "How often the issuer is asked, by all workers together; what "
                                   "it is not asked about is refused. Without it `100/s`.")};
constexpr Table introspection_table{
    .title = "Asking an issuer about tokens",
    .path = "identity.oidc[].introspection",
    .sentence =
        "For tokens that only the issuer can read (RFC 7662). At most one issuer is asked. "
        "See docs/identity.md.",
    .fields = introspection_fields,
    .make = make_owner<OidcIntrospection>,
    .place = place_in<OidcIntrospection>};

constexpr std::array oidc_fields{
    text<&OidcIssuer::name>("name", Word::name, required,
                            "Names the issuer in records and metrics."),
    text<&OidcIssuer::issuer>("issuer", Word::issuer_url, required,
                              "The issuer's URL, as `iss` of its tokens has it, byte for byte."),
    text<&OidcIssuer::audience>("audience", Word::subject, required,
                                "What `aud` of a token must be or hold."),
    file<&OidcIssuer::jwks_file>("jwks", not_required,
                                 "A file with the issuer's keys (RFC 7517); without it they are "
                                 "found by discovery."),
    file<&OidcIssuer::ca_file>("ca", not_required,
                               "PEM certificates that the issuer's is checked by; without it the "
                               "system's."),
    texts<&OidcIssuer::algorithms>("algorithms", Word::jws_algorithm, 10,
                                   "How tokens may be signed, such as `ES256`; without it in any "
                                   "way that fits a key of the issuer's."),
    flag<&OidcIssuer::untyped>(
        "untyped", "Whether tokens without `typ` are taken, beside `JWT` and `at+jwt`."),
    text<&OidcIssuer::subject_claim>("subject_claim", Word::subject, not_required,
                                     "The claim that names the caller; dots lead into it."),
    text<&OidcIssuer::groups_claim>("groups_claim", Word::subject, not_required,
                                    "The claim that lists groups, such as `realm_access.roles`; a "
                                    "token without it is refused. Without this key there are no "
                                    "groups."),
    text<&OidcIssuer::prefix>("prefix", Word::subject, not_required,
                              "What comes before each subject and group, so that they cannot be "
                              "taken for another issuer's or an API key's."),
    texts<&OidcIssuer::authorized_parties>("authorized_parties", Word::subject, 64,
                                           "The clients whose tokens are taken, by `azp` and "
                                           "`client_id`; without it any."),
    duration<&OidcIssuer::clock_skew>("clock_skew", seconds(0), seconds(300),
                                      "How far the issuer's clock may be off."),
    duration<&OidcIssuer::keys_refresh>("keys_refresh", seconds(10), seconds(86'400),
                                        "How often its keys are fetched."),
    duration<&OidcIssuer::keys_max_age>("keys_max_age", seconds(10), seconds(30 * 86'400),
                                        "How long keys are good while newer ones cannot be "
                                        "fetched."),
    section<&OidcIssuer::login>("login", oidc_login_table, not_required,
                                "How people sign in with it; without it nobody does."),
    section<&OidcIssuer::introspection>("introspection", introspection_table, not_required,
                                        "How it is asked about tokens that are no JWTs; without "
                                        "it those are refused.")};
constexpr Table oidc_table{.title = "An OpenID Connect issuer",
                           .path = "identity.oidc[]",
                           .sentence =
                               "An identity provider whose tokens prove who calls. See "
                               "docs/identity.md.",
                           .fields = oidc_fields,
                           .make = make_owner<OidcIssuer>,
                           .place = place_in<OidcIssuer>};

constexpr std::array gateway_token_fields{
    secret<&GatewayTokens::key>("key", required,
                                "The Ed25519 key that signs them, as `sluice key tokens` makes "
                                "it; gateways that take each other's tokens share it."),
    secret<&GatewayTokens::previous_key>("previous_key", not_required,
                                         "The key before it, or its public half: what that "
                                         "signed is still good."),
    duration<&GatewayTokens::lifetime>("lifetime", seconds(60), seconds(7 * 86'400),
                                       "Of a token for which none is asked for."),
    duration<&GatewayTokens::lifetime_max>("max_lifetime", seconds(60), seconds(7 * 86'400),
                                           "The longest that may be asked for."),
    text<&GatewayTokens::revocations>("revocations", Word::file_path, not_required,
                                      "The file with the ids of revoked tokens.")};
constexpr Table gateway_tokens_table{.title = "Tokens of the gateway's own",
                                     .path = "identity.gateway_tokens",
                                     .sentence =
                                         "What `sluice token` prints: short-lived, for HTTP "
                                         "callers as bearer and for PostgreSQL as password.",
                                     .fields = gateway_token_fields,
                                     .make = make_owner<GatewayTokens>,
                                     .place = place_in<GatewayTokens>};

constexpr std::array certificate_rule_fields{
    text<&CertificateRule::spiffe>("spiffe", Word::subject, not_required,
                                   "A SPIFFE ID, the only URI in `subjectAltName`: "
                                   "`spiffe://corp.example/ns/*/sa/*`. `*` stands for what is "
                                   "between two separators, or a part of it; `/**` at the end for "
                                   "any path."),
    text<&CertificateRule::dns>("dns", Word::subject, not_required,
                                "A DNS name of `subjectAltName`, in small letters: "
                                "`*.batch.corp.example`, where `*` stands for one label."),
    text<&CertificateRule::email>("email", Word::subject, not_required,
                                  "An address of `subjectAltName`: `*@corp.example`."),
    text<&CertificateRule::subject_name>(
        "subject", Word::subject, not_required,
        "The subject's distinguished name, the last part first (RFC 4514): `CN=*,O=Corp`, where "
        "`*` stands for one value."),
    text<&CertificateRule::as>("as", Word::subject, not_required,
                               "The principal's subject; `{1}` is what the first `*` stands for. "
                               "Without it the whole name."),
    texts<&CertificateRule::groups>("groups", Word::subject, 64,
                                    "The principal's groups, likewise.")};
constexpr Table certificate_rule_table{
    .title = "Who the holder of a client certificate is",
    .path = "identity.mtls.principals[]",
    .sentence =
        "Exactly one of `spiffe`, `dns`, `email` and `subject` says which name is looked at.",
    .fields = certificate_rule_fields,
    .make = make_owner<CertificateRule>,
    .place = place_in<CertificateRule>};

constexpr std::array mtls_fields{
    file_text<&ClientCertificates::client_ca>(
        "client_ca", required,
        "Who may have signed them, as PEM: roots, and what is between if clients do not send it."),
    file_text<&ClientCertificates::crl>(
        "crl", not_required,
        "Revocation lists as PEM, one of each authority; a certificate whose authority's is "
        "missing or has expired is refused. Without it nobody asks whether one was revoked."),
    sections<&ClientCertificates::principals>(
        "principals", certificate_rule_table, 256, not_required,
        "Who their holders are; the first rule that fits a name of the certificate says it. "
        "Without any, whoever has a SPIFFE ID is that.")};
constexpr Table mtls_table{
    .title = "Client certificates",
    .path = "identity.mtls",
    .sentence = "For listeners whose `tls` asks for one. See docs/identity.md.",
    .fields = mtls_fields,
    .make = make_owner<ClientCertificates>,
    .place = place_in<ClientCertificates>};

constexpr std::array saml_fields{
    text<&SamlProvider::name>("name", Word::name, required, "Names the provider in records."),
    text<&SamlProvider::issuer>("issuer", Word::subject, required,
                                "The provider's entity ID, byte for byte."),
    text<&SamlProvider::sso_url>("sso_url", Word::page_url, required,
                                 "The provider's page for sign-ins by HTTP-Redirect."),
    file_text<&SamlProvider::provider_certificates>(
        "provider_certificates", required,
        "The certificates of the provider's signing keys as PEM: RSA from 2048 bits, P-256 or "
        "P-384. Only the keys count."),
    text<&SamlProvider::url>("url", Word::issuer_url, required,
                             "Where browsers reach `admin.listen`: `https://gateway.example.com`. "
                             "The provider sends them back to `/saml/acs` there."),
    text<&SamlProvider::entity_id>("entity_id", Word::subject, not_required,
                                   "What the provider knows this gateway as, and the audience of "
                                   "its assertions; without it `url` with `/saml/metadata`."),
    secret<&SamlProvider::key>("key", required,
                               "The RSA key that signs requests to the provider, as PEM."),
    file_text<&SamlProvider::certificate>("certificate", required,
                                          "A certificate of that key, for the metadata; it may "
                                          "have signed itself."),
    text<&SamlProvider::subject_attribute>("subject_attribute", Word::subject, not_required,
                                           "The attribute that names who signed in; without it "
                                           "the NameID does, which must be a lasting one."),
    text<&SamlProvider::groups_attribute>("groups_attribute", Word::subject, not_required,
                                          "The attribute that lists groups; an assertion without "
                                          "it is refused. Without this key there are no groups."),
    text<&SamlProvider::prefix>("prefix", Word::subject, not_required,
                                "What comes before each subject and group, so that they cannot "
                                "be taken for another issuer's or an API key's."),
    duration<&SamlProvider::clock_skew>("clock_skew", seconds(0), seconds(300),
                                        "How far the provider's clock may be off."),
    duration<&SamlProvider::sign_in_timeout>("sign_in_timeout", seconds(30), seconds(3'600),
                                             "How long a sign-in at the provider may take.")};
constexpr Table saml_table{.title = "Signing in with SAML",
                           .path = "identity.saml",
                           .sentence =
                               "The identity provider by which people sign in with a browser. See "
                               "docs/identity.md.",
                           .fields = saml_fields,
                           .make = make_owner<SamlProvider>,
                           .place = place_in<SamlProvider>};

constexpr std::array dpop_fields{
    duration<&Dpop::max_age>("max_age", seconds(5), seconds(300),
                             "How long ago a proof may have been made, by the client's clock, "
                             "which may be 10 seconds ahead. Raising it needs a restart."),
    texts<&Dpop::origins>("origins", Word::issuer_url, 64,
                          "Where clients reach the listeners, such as "
                          "`https://api.example.com`, when somebody before the gateway ends their "
                          "TLS or changes `Host`; without it a proof must name what the listener "
                          "sees.")};
constexpr Table dpop_table{.title = "Proofs of a token's key",
                           .path = "identity.dpop",
                           .sentence =
                               "Tokens that are bound to a key (`cnf.jkt`) are taken with a proof "
                               "of it beside each request (RFC 9449, DPoP). See docs/identity.md.",
                           .fields = dpop_fields,
                           .make = make_owner<Dpop>};

constexpr std::array identity_fields{
    file<&Identity::api_keys_file>("api_keys", not_required,
                                   "The file of API keys, as `sluice key new` writes them."),
    text<&Identity::revoked_keys>("revoked_keys", Word::file_path, not_required,
                                  "The file with the ids of revoked API keys, which the gateway "
                                  "writes."),
    flag<&Identity::allow_anonymous>(
        "anonymous", "Whether requests without a credential are judged, as anonymous."),
    sections<&Identity::oidc>("oidc", oidc_table, 16, not_required,
                              "OpenID Connect issuers, whose tokens callers show as bearer, or to "
                              "PostgreSQL as password."),
    section<&Identity::gateway_tokens>("gateway_tokens", gateway_tokens_table, not_required,
                                       "Tokens that the gateway makes itself."),
    section<&Identity::mtls>("mtls", mtls_table, not_required, "Client certificates, in TLS."),
    rate<&Identity::failed_proofs_per_source>(
        "failed_proofs_per_source",
        "How many keys, tokens and passwords one address may show in vain, or one IPv6 network of "
        "64 bits, at each worker; beyond it those that it shows are refused unseen. Without it any "
        "number; `introspection` needs it."),
    section<&Identity::dpop>("dpop", dpop_table, not_required,
                             "What a proof of a token's key must be like."),
    section<&Identity::saml>("saml", saml_table, not_required,
                             "Sign-in with a browser by SAML 2.0, for a token of the gateway's.")};

}  // namespace

constexpr Table identity_table{.title = "Identity",
                               .path = "identity",
                               .sentence = "How callers prove who they are.",
                               .fields = identity_fields,
                               .make = make_owner<Identity>,
                               .place = place_in<Identity>};

}  // namespace sluice::config
