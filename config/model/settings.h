// The configuration as plain structs, one per subject, defaults beside the fields.
//
// The loader's table (config/load/schema) binds each field to its key, unit,
// range and sentence; docs/configuration.md and the JSON Schema come from it.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "config/model/identity_settings.h"
#include "config/model/notification_settings.h"
#include "config/model/tls_settings.h"
#include "config/model/values.h"

namespace sluice::config {

enum class Protocol : std::uint8_t { http, postgres };

enum class ForwardedFields : std::uint8_t {
  append,   ///< Add to what the client sent.
  replace,  ///< Drop what the client sent.
  off,      ///< Drop what the client sent and add nothing.
};

struct HttpLimits {
  std::uint64_t head_bytes_max = 16 * 1024;
  std::uint64_t target_bytes_max = 8 * 1024;
  std::uint64_t fields_max = 100;
  std::uint64_t trailer_bytes_max = 4 * 1024;
  std::uint64_t chunk_extension_bytes_max = 256;
  std::uint64_t body_bytes_max = std::uint64_t{16} << 30;
  std::uint64_t inspected_body_bytes_max =
      1 << 20;  ///< A request body that a body pattern must see whole.
  std::uint64_t requests_per_connection_max = 1'000'000;
};

struct Timeouts {
  Duration request_head = seconds(10);  ///< First byte of a head to its end.
  Duration idle = seconds(75);          ///< Between requests.
  Duration stall = seconds(30);         ///< A peer that neither sends nor takes bytes mid-message.
};

/// For how long a client has a connection to a database for itself.
enum class PoolMode : std::uint8_t { session, transaction };

/// What only a PostgreSQL listener has.
struct PostgresListener {
  PoolMode mode = PoolMode::session;
  /// A password is sent as it is, so without TLS it may only come from the same host.
  bool passwords_from_loopback = false;
  /// Whoever reads a cancel request on its way may cancel what that session runs.
  bool cancels_in_clear = false;
  std::uint64_t statement_bytes_max = 1 << 20;
  Duration login_timeout = seconds(10);
  Duration idle_timeout = seconds(8 * 3600);
};

/// Whether a target is told, by a header of the PROXY protocol, for whom a connection is.
enum class ProxyHeader : std::uint8_t { off, v1, v2 };

/// A proxy in front of a listener, which says for whom it speaks.
struct ProxySource {
  std::vector<std::string> from;  ///< Networks that it may be in.
  Duration wait_max = seconds(5);
};

struct Listener {
  std::string name;
  SocketAddress address;
  Protocol protocol = Protocol::http;
  std::string target;
  std::optional<ListenerTls> tls;  ///< Nothing: in clear.
  bool via = true;
  ForwardedFields forwarded = ForwardedFields::replace;
  HttpLimits http;
  PostgresListener postgres;
  Timeouts timeouts;
  std::optional<ProxySource> proxy_protocol;
  Place place;
};

/// What the gateway presents to a target: a header field to an HTTP API, a login
/// to a database.
struct TargetCredential {
  std::string header;
  std::optional<Secret> value;
  std::string user;
  std::optional<Secret> password;
};

struct HealthCheck {
  std::string path;  ///< Empty: passive health only.
  Duration interval = seconds(5);
  Duration timeout = seconds(2);
  std::uint32_t unhealthy_after = 3;  ///< Failures in a row, active or passive.
  std::uint32_t healthy_after = 2;
  Duration ejected_for = seconds(10);  ///< Passive only: until it is tried again.
};

/// Sessions that find all of a target's connections in use, where they may wait.
struct PoolQueue {
  Duration wait_max = seconds(10);
  std::uint32_t sessions_max = 1000;  ///< Per worker.
};

struct Target {
  std::string name;
  std::vector<SocketAddress> addresses;
  std::optional<TargetCredential> credential;
  std::optional<TargetTls> tls;  ///< Nothing: in clear.
  HealthCheck health;
  Duration connect_timeout = seconds(3);
  Duration response_timeout = seconds(60);    ///< Request sent to first response byte.
  Duration idle_timeout = seconds(30);        ///< Pooled connection.
  std::uint32_t pool_connections_max = 1024;  ///< Per worker, busy and idle.
  PoolQueue queue;
  ProxyHeader proxy_protocol = ProxyHeader::off;
  Place place;
};

/// Conditions of a rule; an empty list does not restrict.
struct PrincipalMatch {
  std::vector<std::string> subjects;
  std::vector<std::string> groups;
  bool anonymous = false;
};

struct HeaderMatch {
  std::string name;
  std::string pattern;  ///< Regular expression on the value.
};

struct HttpMatch {
  std::vector<std::string> methods;
  std::vector<std::string> paths;    ///< Globs: '*' within a segment, '**' across segments.
  std::vector<HeaderMatch> headers;  ///< All must match.
  std::vector<std::string> body;     ///< Regular expressions; any must match.
};

/// What a statement must be or do. An allow rule covers a statement when each list
/// given here covers all that the statement does; a deny rule matches when each list
/// names something that it does (docs/policy.md).
struct SqlMatch {
  std::vector<std::string> classes;    ///< "select", "update", …
  std::vector<std::string> relations;  ///< "schema.name" or "name", '*' as a wildcard.
  std::vector<std::string> columns;    ///< "table.column" or "schema.table.column", likewise.
  std::vector<std::string> functions;  ///< Likewise.
  std::vector<std::string> patterns;   ///< Regular expressions on the text; any must match.
  bool without_where = false;          ///< An UPDATE or DELETE that no condition limits.
  bool multi = false;                  ///< Several statements in one text.
  bool unparsed = false;               ///< A text that is not understood.
};

enum class RulingKind : std::uint8_t { allow, deny, hold };

/// What one execution of a statement may bring, and how often one may come. 0 limits nothing.
struct ExecutionLimits {
  std::uint64_t rows_max = 0;
  std::uint64_t bytes_max = 0;
  Rate rate;                ///< Of executions, for each principal.
  std::uint64_t burst = 0;  ///< That may come at once; 0: what one second of `rate` brings.
};

/// What is kept of an operation that a rule allows.
enum class RecordMode : std::uint8_t {
  operations,  ///< Its records.
  full,        ///< What went to and fro, too, in an encrypted recording.
};

/// How an HTTP client waits for people.
enum class HoldMode : std::uint8_t {
  wait,    ///< On its connection.
  ticket,  ///< It is told to come again, with the request's name.
};

/// Who must agree before what a rule holds may run.
struct Approval {
  std::vector<std::string> by_groups;
  std::uint32_t distinct = 1;                 ///< People; with `all_groups` of each group.
  bool all_groups = false;                    ///< Nobody counts for two of them.
  Duration expires = seconds(600);            ///< Undecided by then, it is refused.
  bool reason_required = false;               ///< Of whoever decides.
  std::vector<std::string> break_glass = {};  ///< Whose members may run it alone.
  HoldMode mode = HoldMode::wait;
  Duration wait = {};                 ///< Of an HTTP client on its connection; 0: until it expires.
  Duration valid_for = seconds(600);  ///< A ticket, once it was approved.
  std::uint32_t uses = 1;             ///< Of a ticket.
};

struct PolicyRule {
  std::string name;
  PrincipalMatch principals;
  std::vector<std::string> targets;
  std::optional<HttpMatch> http;
  std::optional<SqlMatch> sql;
  RulingKind ruling = RulingKind::deny;
  std::string reason;                     ///< Shown to the refused client.
  std::optional<ExecutionLimits> limits;  ///< Of what an allow rule allows.
  RecordMode record = RecordMode::operations;
  std::optional<Approval> approval;  ///< Of what a hold rule holds.
  Place place;
};

enum class MaskDirection : std::uint8_t { response, request, both };

struct MaskFind {
  std::vector<std::string> builtins;  ///< Without the "builtin:" prefix.
  std::vector<std::string> patterns;  ///< Own regular expressions.
  std::vector<std::string> json;
  std::vector<std::string> form;
  std::vector<std::string> headers;
  std::vector<std::string>
      columns;  ///< "table.column" or "schema.table.column", '*' as a wildcard.
};

enum class MaskShowKind : std::uint8_t { redact, partial, hash };

struct MaskShow {
  MaskShowKind kind = MaskShowKind::redact;
  std::uint8_t first = 0;
  std::uint8_t last = 0;
};

/// What an expression over a masked column shows.
enum class MaskDerived : std::uint8_t {
  mask,    ///< Nothing: all of the value is masked.
  refuse,  ///< The statement is refused.
  allow,   ///< The value, as it is.
};

struct Mask {
  std::string name;
  MaskFind find;
  MaskShow show;
  MaskDerived derived = MaskDerived::mask;  ///< For `columns` only.
  MaskDirection on = MaskDirection::response;
  std::vector<std::string> targets;  ///< Empty: all.
  std::vector<std::string> except_groups;
  Place place;
};

enum class Release : std::uint8_t { recorded, durable };

/// In which schema records leave.
enum class ExportFormat : std::uint8_t { native, ocsf, ecs, cef };

struct FileExport {
  std::string directory;
  std::uint64_t rotate_bytes = 100U << 20;
  friend bool operator==(const FileExport&, const FileExport&) = default;
};

struct SyslogExport {
  std::vector<SocketAddress> addresses;  ///< The first that answers is used.
  std::string server_name;               ///< Of the certificate; empty: in clear.
  std::string ca_file;                   ///< Empty: the system's.
  friend bool operator==(const SyslogExport&, const SyslogExport&) = default;
};

enum class LockMode : std::uint8_t { governance, compliance };

struct ObjectLock {
  LockMode mode = LockMode::compliance;
  std::uint64_t days = 365;
  friend bool operator==(const ObjectLock&, const ObjectLock&) = default;
};

struct S3Export {
  std::string endpoint;  ///< "https://s3.eu-central-1.amazonaws.com"
  std::string region = "us-east-1";
  std::string bucket;
  std::string prefix;  ///< Of the objects' keys.
  std::string access_key;
  Secret secret_key;
  std::string ca_file;  ///< Empty: the system's.
  std::optional<ObjectLock> lock;
  std::uint64_t batch_bytes = 8U << 20;
  Duration linger = seconds(60);
  friend bool operator==(const S3Export&, const S3Export&) = default;
};

/// A header field that lets requests in.
struct HeaderCredential {
  std::string header;
  Secret value;
  friend bool operator==(const HeaderCredential&, const HeaderCredential&) = default;
};

struct OtlpExport {
  std::string endpoint;  ///< "https://collector.example.com:4318", without "/v1/logs"
  std::optional<HeaderCredential> credential;
  std::string ca_file;  ///< Empty: the system's.
  std::uint64_t batch_bytes = 1U << 20;
  Duration linger = seconds(1);
  friend bool operator==(const OtlpExport&, const OtlpExport&) = default;
};

/// How a Kafka client shows who it is (SASL).
enum class KafkaMechanism : std::uint8_t { plain, scram_sha_256, scram_sha_512 };

struct KafkaLogin {
  std::string user;
  Secret password;
  KafkaMechanism mechanism = KafkaMechanism::scram_sha_512;
  friend bool operator==(const KafkaLogin&, const KafkaLogin&) = default;
};

struct KafkaExport {
  std::vector<std::string> brokers;  ///< "k1.example.com:9093"
  std::string topic;
  bool tls = false;
  std::string ca_file;  ///< Empty: the system's.
  std::optional<KafkaLogin> login;
  Duration timeout = seconds(30);  ///< Of a batch.
  friend bool operator==(const KafkaExport&, const KafkaExport&) = default;
};

/// Records that go to another system while the gateway runs, to one destination.
struct AuditExport {
  std::string name;
  ExportFormat format = ExportFormat::native;
  std::optional<FileExport> file;
  std::optional<SyslogExport> syslog;
  std::optional<S3Export> s3;
  std::optional<KafkaExport> kafka;
  std::optional<OtlpExport> otlp;
  Duration lag_alarm = seconds(300);
  Place place;
};

/// Somebody else's statements of when checkpoints existed (RFC 3161).
struct Timestamps {
  std::string authority;  ///< An http:// URL; empty: none.
  Duration every = seconds(3'600);
};

/// The process that holds the signing key.
struct AuditSigner {
  std::string state;            ///< Path of what it remembers; empty: beside the log.
  std::string user = "nobody";  ///< Whom it becomes when root starts it.
  Duration seal_every = seconds(3'600);
};

/// Where the key that signs checkpoints is: one of the two.
struct SigningKey {
  std::string file;  ///< Path.
  std::string uri;   ///< Of a key in a PKCS#11 token (RFC 7512): "pkcs11:…".
  friend bool operator==(const SigningKey&, const SigningKey&) = default;
};

/// How the token of such a URI is reached.
struct AuditToken {
  std::string module;                    ///< Path of its shared library.
  std::string pin;                       ///< Path of a file that holds it.
  std::string origin;                    ///< The log's name in its checkpoints.
  std::vector<std::string> environment;  ///< "NAME=VALUE", for the module.
  friend bool operator==(const AuditToken&, const AuditToken&) = default;
};

/// How long the log is kept.
struct Retention {
  Duration keep;
  friend bool operator==(const Retention&, const Retention&) = default;
};

struct Audit {
  std::string directory = "/var/lib/sluice/audit";
  SigningKey signing_key;
  std::optional<AuditToken> token;
  AuditSigner signer;
  Release release = Release::recorded;
  std::uint64_t ring_bytes = 8U << 20;
  std::uint64_t segment_bytes = 256U << 20;
  Duration heartbeat = seconds(10);
  std::optional<Retention> retention;  ///< Nothing: for ever.
  std::vector<AuditExport> exports;
  Timestamps timestamps;
  std::string witness_policy;  ///< Path of a C2SP tlog-policy; empty: no witnesses.
};

/// What becomes of operations that are to be recorded when recordings take no more.
enum class OnFull : std::uint8_t {
  refuse,  ///< They are refused.
  stop,    ///< They go on, and the log says that they are not recorded.
};

/// What sessions did, message by message, encrypted to auditors.
struct Recordings {
  std::string directory = "/var/lib/sluice/recordings";
  std::vector<std::string> recipients;  ///< Of age: "age1…".
  std::uint64_t bytes_max = std::uint64_t{100} << 30;
  OnFull on_full = OnFull::refuse;
  std::uint64_t chunk_bytes = 1U << 20;
  Duration chunk_time = seconds(60);  ///< Longest that one chunk is filled.
  std::uint64_t memory_bytes = 64U
                               << 20;  ///< Of chunks being filled; beyond, the longest is closed.
  std::uint64_t backlog_bytes = 16U << 20;  ///< Per worker: beyond, its recorded sessions wait.
  std::optional<Retention> retention;       ///< Nothing: until somebody deletes them.
  Place place;
  friend bool operator==(const Recordings& one, const Recordings& other) {
    return one.directory == other.directory && one.recipients == other.recipients &&
           one.bytes_max == other.bytes_max && one.on_full == other.on_full &&
           one.chunk_bytes == other.chunk_bytes && one.chunk_time == other.chunk_time &&
           one.memory_bytes == other.memory_bytes && one.backlog_bytes == other.backlog_bytes &&
           one.retention == other.retention;
  }
};

/// Operations that wait for people.
struct Approvals {
  std::string store;              ///< Path of what was asked and decided; empty: beside the log.
  std::uint32_t held_max = 1000;  ///< At once.
  std::uint32_t held_per_principal_max = 10;
};

/// Who has which role of the control API: groups of principals; of the host's accounts
/// "unix-group:NAME" and "unix-user:NAME".
struct AdminRoles {
  std::vector<std::string> admin;
  std::vector<std::string> approver;
  std::vector<std::string> auditor;
  std::vector<std::string> viewer;
};

/// Where the control API is reached over TLS.
struct AdminListen {
  SocketAddress address;
  FileText certificate;
  FileText key;
  std::uint32_t connections_max = 32;  ///< Served at a time, each by a thread.
  std::uint32_t connections_per_source_max = 8;
  Duration timeout = seconds(10);  ///< Handshake and request; and again the answer.
};

struct Admin {
  std::string socket = "/run/sluice/admin.sock";
  std::string socket_group;          ///< Of the host, whose members may open it; empty: none.
  std::optional<SocketAddress> tcp;  ///< Loopback only.
  std::optional<AdminListen> listen;
  AdminRoles roles;
};

struct Workers {
  std::uint32_t count = 0;  ///< 0: one per available core.
  bool pin = true;
  std::uint32_t connections_max = 16384;   ///< Per worker, clients and targets together.
  std::uint64_t buffer_bytes = 64U << 20;  ///< Receive buffers per worker.
  bool kernel_tls = true;                  ///< Where the kernel can.
};

struct Settings {
  std::string text;  ///< All of it as JSON for the audit log; no secret is in it.
  std::vector<Listener> listeners;
  std::vector<Target> targets;
  Identity identity;
  std::vector<PolicyRule> policies;
  std::vector<Mask> masks;
  std::optional<Secret> mask_hash_key;  ///< `mask_key:`; needed by masks that hash.
  Audit audit;
  std::optional<Recordings> recordings;  ///< Nothing: no rule may ask for any.
  Approvals approvals;
  Notifications notifications;
  Admin admin;
  Workers workers;
  Duration drain_timeout = seconds(30);
};

}  // namespace sluice::config
