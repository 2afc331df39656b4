#include "config/load/schema_tls.h"

#include <array>

#include "config/load/schema_builder.h"
#include "config/model/tls_settings.h"

namespace sluice::config {
namespace {

using namespace schema;

constexpr std::array key_pair_fields{
    file_text<&TlsKeyPair::certificate>(
        "certificate", required,
        "As PEM, with the certificates that lead to its authority behind it."),
    file_text<&TlsKeyPair::key>("key", required, "Its private key as PEM, without a passphrase."),
    file_text<&TlsKeyPair::ocsp>("ocsp", not_required,
                                 "What the responder of its authority last said of it (OCSP), as "
                                 "DER: shown to clients that ask, until its time is over.")};
constexpr Table key_pair_table{.title = "A further certificate of a listener",
                               .path = "listeners[].tls.by_name",
                               .sentence = "For clients that ask for a name in it (SNI).",
                               .fields = key_pair_fields,
                               .make = make_owner<TlsKeyPair>};

constexpr std::array client_certificates{
    word_for("off", ClientCertificate::off, "they are not asked for one"),
    word_for("optional", ClientCertificate::optional,
             "they may; one that is shown must be good, and who has none shows a credential"),
    word_for("required", ClientCertificate::required, "they must")};

constexpr std::array listener_tls_fields{
    file_text<&ListenerTls::certificate>(
        "certificate", required,
        "As PEM, with the certificates that lead to its authority behind it."),
    file_text<&ListenerTls::key>("key", required, "Its private key as PEM, without a passphrase."),
    file_text<&ListenerTls::ocsp>("ocsp", not_required,
                                  "What the responder of its authority last said of it (OCSP), as "
                                  "DER: shown to clients that ask, until its time is over."),
    sections<&ListenerTls::by_name>("by_name", key_pair_table, 64, not_required,
                                    "For clients that ask for another name."),
    choice<&ListenerTls::client_certificate>(
        "client_certificate", client_certificates, not_required,
        "Whether clients show a certificate, by which `identity.mtls` says who they are."),
    flag<&ListenerTls::forward_client_certificate>(
        "forward_client_certificate",
        "Whether an HTTP target is told of it, in `X-Forwarded-Client-Cert`. A client's own such "
        "field, `Client-Cert` and `Client-Cert-Chain` never reach a target."),
    duration<&ListenerTls::handshake_timeout>("handshake", milliseconds(100), seconds(600),
                                              "Until the handshake is over."),
    rate<&ListenerTls::handshakes_per_source>(
        "handshakes_per_source",
        "How many handshakes one address may begin, or one IPv6 network of 64 bits, at each "
        "worker; what comes beyond is closed. As many as a second brings may come at once. "
        "Without it any number.")};
}  // namespace

constexpr Table listener_tls_table{.title = "TLS towards clients",
                                   .path = "listeners[].tls",
                                   .sentence = "TLS 1.2 and 1.3; nothing is served in clear then.",
                                   .fields = listener_tls_fields,
                                   .make = make_owner<ListenerTls>};

namespace {

constexpr std::array tls_verifies{
    word_for("full", TlsVerify::full, "an authority that is trusted has signed it for the name"),
    word_for("none", TlsVerify::none,
             "not at all: whoever is on the way can be the target, and read the credential")};

constexpr std::array target_tls_fields{
    choice<&TargetTls::verify>("verify", tls_verifies, not_required,
                               "What the target's certificate must be."),
    text<&TargetTls::name>("name", Word::host_name, not_required,
                           "That it must be for; without it what each address is written as. A "
                           "target with several certificates is asked for it (SNI)."),
    file_text<&TargetTls::ca>("ca", not_required,
                              "Who may have signed it, as PEM; without it the system's."),
    texts<&TargetTls::pins>("pins", Word::public_key_pin, 16,
                            "The public keys of which it must have one, each as `sha256//` and the "
                            "base64 of its SubjectPublicKeyInfo's SHA-256."),
    file_text<&TargetTls::certificate>(
        "certificate", not_required,
        "What the gateway shows when the target asks for a certificate, as PEM, with the "
        "certificates that lead to its authority behind it."),
    file_text<&TargetTls::key>("key", not_required,
                               "Its private key as PEM, without a passphrase.")};
}  // namespace

constexpr Table target_tls_table{
    .title = "TLS towards a target",
    .path = "targets[].tls",
    .sentence = "TLS 1.2 and 1.3. `tls: verify-full` stands for it with nothing else written.",
    .fields = target_tls_fields,
    .make = make_owner<TargetTls>};

}  // namespace sluice::config
