#include "config/load/schema_audit.h"

#include <array>

#include "config/load/schema_builder.h"

namespace sluice::config {
namespace {

using namespace schema;

constexpr std::array releases{
    word_for("recorded", Release::recorded, "survives the gateway being killed at any instant"),
    word_for("durable", Release::durable, "also survives power loss; costs an fsync of latency")};

constexpr std::array export_formats{
    word_for("native", ExportFormat::native, "as `sluice audit --json` prints them"),
    word_for("ocsf", ExportFormat::ocsf, "the Open Cybersecurity Schema Framework, 1.3"),
    word_for("ecs", ExportFormat::ecs, "the Elastic Common Schema, 8.11"),
    word_for("cef", ExportFormat::cef, "the Common Event Format")};

constexpr std::array file_export_fields{
    text<&FileExport::directory>("directory", Word::file_path, required,
                                 "Where the files are: NAME-00000001.log and so on."),
    size<&FileExport::rotate_bytes>("rotate", 1 << 10, std::uint64_t{1} << 40,
                                    "A file of this size is followed by the next.")};
constexpr Table file_export_table{.title = "An export to files",
                                  .path = "audit.exports[].file",
                                  .sentence = "One record a line, synced.",
                                  .fields = file_export_fields,
                                  .make = make_owner<FileExport>};

constexpr Field syslog_addresses = [] {
  Field field = value<&SyslogExport::addresses>(
      "addresses", Field::Kind::target_addresses, required,
      "Where it listens; the first that answers is used. Names are resolved at the start.");
  field.items_max = 16;
  return field;
}();
constexpr std::array syslog_export_fields{
    syslog_addresses,
    text<&SyslogExport::server_name>("server_name", Word::title, not_required,
                                     "TLS: the name its certificate must have; without it "
                                     "records go in clear."),
    file<&SyslogExport::ca_file>("ca", not_required,
                                 "TLS: who may have signed it, as PEM; without it the system's.")};
constexpr Table syslog_export_table{.title = "An export to syslog",
                                    .path = "audit.exports[].syslog",
                                    .sentence = "RFC 5424 over TCP or TLS (RFC 5425).",
                                    .fields = syslog_export_fields,
                                    .make = make_owner<SyslogExport>};

constexpr std::array lock_modes{
    word_for("governance", LockMode::governance, "who has the right may still remove an object"),
    word_for("compliance", LockMode::compliance, "nobody may, the account's owner included")};

constexpr std::array object_lock_fields{
    choice<&ObjectLock::mode>("mode", lock_modes, not_required, "Who may remove an object."),
    count<&ObjectLock::days>("days", 1, 36'500, "From its first record on.")};
constexpr Table object_lock_table{.title = "The lock of exported objects",
                                  .path = "audit.exports[].s3.lock",
                                  .sentence = "The bucket must have Object Lock.",
                                  .fields = object_lock_fields,
                                  .make = make_owner<ObjectLock>};

constexpr std::array s3_export_fields{
    text<&S3Export::endpoint>(
        "endpoint", Word::title, required,
        "The storage's URL, such as `https://s3.eu-central-1.amazonaws.com`."),
    text<&S3Export::region>("region", Word::name, not_required, "That requests are signed for."),
    text<&S3Export::bucket>("bucket", Word::name, required, "That exists already."),
    text<&S3Export::prefix>("prefix", Word::title, not_required,
                            "Of the objects' keys: letters, digits and `-_./`."),
    text<&S3Export::access_key>("access_key", Word::title, required, "The key's id."),
    secret<&S3Export::secret_key>("secret_key", required, "The key."),
    file<&S3Export::ca_file>("ca", not_required,
                             "Who may have signed the storage's certificate, as PEM; without it "
                             "the system's."),
    section<&S3Export::lock>("lock", object_lock_table, not_required,
                             "Keeps objects from being changed or removed."),
    size<&S3Export::batch_bytes>("batch", 1 << 10, std::uint64_t{64} << 20,
                                 "An object of this size is sent at once."),
    duration<&S3Export::linger>("linger", milliseconds(100), seconds(3'600),
                                "How long records wait for more of them.")};
constexpr Table s3_export_table{.title = "An export to S3",
                                .path = "audit.exports[].s3",
                                .sentence = "One object for each batch, to S3-compatible storage.",
                                .fields = s3_export_fields,
                                .make = make_owner<S3Export>};

constexpr std::array kafka_mechanisms{
    word_for("plain", KafkaMechanism::plain, "the password itself, inside of TLS"),
    word_for("scram-sha-256", KafkaMechanism::scram_sha_256, "a proof of it"),
    word_for("scram-sha-512", KafkaMechanism::scram_sha_512, "likewise, with a longer hash")};

constexpr std::array kafka_login_fields{
    text<&KafkaLogin::user>("user", Word::title, required, "Who the gateway is there."),
    secret<&KafkaLogin::password>("password", required, "Its password."),
    choice<&KafkaLogin::mechanism>("mechanism", kafka_mechanisms, not_required,
                                   "How it is shown (SASL).")};
constexpr Table kafka_login_table{.title = "A login to Kafka",
                                  .path = "audit.exports[].kafka.login",
                                  .sentence = "Only inside of TLS.",
                                  .fields = kafka_login_fields,
                                  .make = make_owner<KafkaLogin>};

constexpr Field kafka_brokers = [] {
  Field field = texts<&KafkaExport::brokers>(
      "brokers", Word::title, 16, "Some of them, as `HOST:PORT`; these name the others.");
  field.is_required = true;
  return field;
}();
constexpr std::array kafka_export_fields{
    kafka_brokers,
    text<&KafkaExport::topic>("topic", Word::name, required, "That records go to."),
    flag<&KafkaExport::tls>("tls", "Whether by TLS, each broker with a certificate of its name."),
    file<&KafkaExport::ca_file>("ca", not_required,
                                "TLS: who may have signed them, as PEM; without it the system's."),
    section<&KafkaExport::login>("login", kafka_login_table, not_required,
                                 "Without it none is made."),
    duration<&KafkaExport::timeout>("timeout", seconds(1), seconds(300),
                                    "A batch that has not arrived by then is sent again.")};
constexpr Table kafka_export_table{.title = "An export to Kafka",
                                   .path = "audit.exports[].kafka",
                                   .sentence = "One message a record, its session the key.",
                                   .fields = kafka_export_fields,
                                   .make = make_owner<KafkaExport>};

constexpr std::array header_credential_fields{
    text<&HeaderCredential::header>("header", Word::injected_header, required, "The header field."),
    secret<&HeaderCredential::value>("value", required, "The field's whole value.")};
constexpr Table header_credential_table{.title = "The credential of a collector",
                                        .path = "audit.exports[].otlp.credential",
                                        .sentence = "What the gateway presents to it.",
                                        .fields = header_credential_fields,
                                        .make = make_owner<HeaderCredential>};

constexpr std::array otlp_export_fields{
    text<&OtlpExport::endpoint>(
        "endpoint", Word::title, required,
        "The collector's URL, such as `https://collector.example.com:4318`; "
        "`/v1/logs` is added."),
    section<&OtlpExport::credential>("credential", header_credential_table, not_required,
                                     "Only over https."),
    file<&OtlpExport::ca_file>("ca", not_required,
                               "Who may have signed the collector's certificate, as PEM; without "
                               "it the system's."),
    size<&OtlpExport::batch_bytes>("batch", 1 << 10, std::uint64_t{16} << 20,
                                   "Records of this size are sent at once."),
    duration<&OtlpExport::linger>("linger", milliseconds(100), seconds(3'600),
                                  "How long records wait for more of them.")};
constexpr Table otlp_export_table{.title = "An export to OpenTelemetry",
                                  .path = "audit.exports[].otlp",
                                  .sentence = "Logs to a collector, by OTLP/HTTP with JSON.",
                                  .fields = otlp_export_fields,
                                  .make = make_owner<OtlpExport>};

constexpr std::array export_fields{
    text<&AuditExport::name>("name", Word::name, required,
                             "Names the export in metrics, and its cursor."),
    choice<&AuditExport::format>("format", export_formats, not_required,
                                 "In which schema records leave."),
    section<&AuditExport::file>("file", file_export_table, not_required, "To files."),
    section<&AuditExport::syslog>("syslog", syslog_export_table, not_required, "To syslog."),
    section<&AuditExport::s3>("s3", s3_export_table, not_required, "To S3-compatible storage."),
    section<&AuditExport::kafka>("kafka", kafka_export_table, not_required, "To Kafka."),
    section<&AuditExport::otlp>("otlp", otlp_export_table, not_required,
                                "To an OpenTelemetry collector."),
    duration<&AuditExport::lag_alarm>(
        "lag_alarm", seconds(1), seconds(7 * 86'400),
        "A record that has not arrived for so long is reported, and recorded.")};
constexpr Table export_table{.title = "An export of the audit log",
                             .path = "audit.exports[]",
                             .sentence =
                                 "Each record goes to one destination, at least once and in "
                                 "order. See docs/exports.md.",
                             .fields = export_fields,
                             .make = make_owner<AuditExport>,
                             .place = place_in<AuditExport>};
constexpr std::array timestamp_fields{
    text<&Timestamps::authority>(
        "authority", Word::http_url, required,
        "Where the authority answers; http, since its answers are signed."),
    duration<&Timestamps::every>("every", seconds(1), seconds(86'400),
                                 "How often the newest checkpoint is sent there.")};
constexpr Table timestamp_table{
    .title = "Timestamps",
    .path = "audit.timestamps",
    .sentence = "Somebody else's word for when the log's checkpoints existed (RFC 3161).",
    .fields = timestamp_fields,
    .make = make_owner<Timestamps>};

constexpr std::array signer_fields{
    text<&AuditSigner::state>("state", Word::file_path, not_required,
                              "What it signed last, so that it signs no older log; without it a "
                              "file beside the directory, with `.signed` behind its name."),
    text<&AuditSigner::user>("user", Word::subject, not_required,
                             "Whom it becomes when root starts the gateway."),
    duration<&AuditSigner::seal_every>(
        "seal_every", seconds(1), seconds(86'400),
        "How often it seals the log, and begins a new sealing key.")};
constexpr Table signer_table{.title = "The signer",
                             .path = "audit.signer",
                             .sentence = "The process that alone holds the signing key.",
                             .fields = signer_fields,
                             .make = make_owner<AuditSigner>};

constexpr std::array token_fields{
    text<&AuditToken::module>("module", Word::file_path, required,
                              "The shared library that came with the token."),
    file<&AuditToken::pin>("pin", required, "The token's PIN; only the signer's process reads it."),
    text<&AuditToken::origin>("origin", Word::subject, required,
                              "The log's name in its checkpoints; a key file has it in itself."),
    texts<&AuditToken::environment>("environment", Word::variable, 16,
                                    "Variables that the library looks for; nothing secret.")};
constexpr Table token_table{.title = "The token of the signing key",
                            .path = "audit.token",
                            .sentence =
                                "For a `signing_key` that begins with `pkcs11:`. See "
                                "docs/operations.md.",
                            .fields = token_fields,
                            .make = make_owner<AuditToken>};

constexpr Field retention_keep = [] {
  Field field =
      duration<&Retention::keep>("keep", seconds(1), seconds(std::int64_t{100} * 366 * 86'400),
                                 "A sealed segment is removed when its newest record is older, "
                                 "unless a legal hold or an export needs it.");
  field.is_required = required;
  return field;
}();
constexpr std::array retention_fields{retention_keep};
constexpr Table retention_table{.title = "Retention",
                                .path = "audit.retention",
                                .sentence = "Whole segments go, and leave what proves the rest.",
                                .fields = retention_fields,
                                .make = make_owner<Retention>};

constexpr std::array audit_fields{
    text<&Audit::directory>("directory", Word::file_path, not_required, "Where the log is kept."),
    signing_key<&Audit::signing_key>("signing_key", required,
                                     "The Ed25519 key that signs checkpoints."),
    section<&Audit::token>("token", token_table, not_required,
                           "How the token is reached that holds that key."),
    section<&Audit::signer>("signer", signer_table, not_required,
                            "The process that holds that key."),
    choice<&Audit::release>("release", releases, not_required,
                            "What a record must survive before its operation's bytes leave."),
    size<&Audit::ring_bytes>("ring", 64 << 10, std::uint64_t{1} << 30,
                             "Records on their way to the log, per worker."),
    size<&Audit::segment_bytes>("segment", 1 << 20, std::uint64_t{16} << 30,
                                "A segment file is sealed at this size."),
    duration<&Audit::heartbeat>("heartbeat", seconds(1), seconds(3'600),
                                "How often the log records that the gateway runs."),
    section<&Audit::retention>("retention", retention_table, not_required,
                               "How long the log is kept; without it for ever."),
    sections<&Audit::exports>("exports", export_table, 16, not_required,
                              "Where records go beside the log."),
    section<&Audit::timestamps>("timestamps", timestamp_table, not_required,
                                "A time-stamp authority; without it none is asked."),
    file<&Audit::witness_policy>(
        "witness_policy", not_required,
        "Witnesses that must see the log's checkpoints (C2SP tlog-policy).")};

}  // namespace

constexpr Table audit_table{.title = "The audit log",
                            .path = "audit",
                            .sentence = "Nothing leaves the gateway unrecorded.",
                            .fields = audit_fields,
                            .make = make_owner<Audit>};

}  // namespace sluice::config
