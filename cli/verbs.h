// The verbs: what each takes from the command line, and the function that does it.
// Each is in a file of its own name; arguments/ fills the options.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/exit_code.h"
#include "cli/record_query.h"

namespace sluice::cli {

inline constexpr const char* default_configuration = "/etc/sluice/sluice.yaml";

struct RunOptions {
  std::string configuration = default_configuration;
};

struct CheckOptions {
  std::string configuration = default_configuration;
  bool json = false;
  bool reference = false;  ///< Print docs/configuration.md instead.
  bool schema = false;     ///< Print the JSON Schema instead.
  bool openapi = false;    ///< Print the control API's document instead.
};

struct VerifyOptions {
  std::string path = {};        ///< An audit directory, or an evidence package.
  std::string key = {};         ///< A verifier line or a file that holds one.
  std::string witness = {};     ///< Likewise, of a witness.
  std::string seen = {};        ///< A file with a checkpoint.
  std::string recordings = {};  ///< A folder of recordings that the directory tells of.
  bool json = false;
};

struct BeginEpochOptions {
  std::string configuration = default_configuration;
  std::string reason = {};
  bool json = false;
};

struct WitnessOptions {
  std::string key = {};
  std::vector<std::string> logs = {};  ///< Verifier lines, or files that hold one.
  std::string state = {};
  std::string listen = {};
  bool json = false;
};

struct TilesOptions {
  std::string directory = {};
  std::string output = {};
  bool entries = false;
  bool follow = false;
  bool json = false;
};

/// How the admin socket is found.
struct AdminTarget {
  std::string configuration = default_configuration;
  std::string socket = {};  ///< Instead of the configuration's.
  // Instead of a socket:
  std::string url = {};    ///< "https://host:port"
  std::string token = {};  ///< "file:PATH" or "env:NAME", of what proves there who calls.
  std::string ca = {};     ///< A file: who may have signed its certificate; empty: the system's.

  /// A socket or URL was said, not only what the configuration has.
  [[nodiscard]] bool is_said() const noexcept { return !url.empty() || !socket.empty(); }
};

struct AuditOptions {
  /// Whose control API is asked, where its socket or URL is given; else the log is read here.
  AdminTarget gateway = {};
  std::string directory = {};  ///< Instead of the configuration's.
  QueryWords query = {};
  bool follow = false;
  bool json = false;
};

struct ReplayOptions {
  /// Whose recordings are asked for, where its socket or URL is given; else a folder's.
  AdminTarget gateway = {};
  std::string directory = {};  ///< Instead of the configuration's.
  std::string recording = {};
  std::string identity = {};  ///< A file, perhaps with "file:" before it.
  std::string at = {};        ///< RFC 3339, or a time behind the beginning.
  std::string search = {};
  double speed = 0;  ///< 0: without waiting.
  bool asciicast = false;
  bool json = false;
};

struct EvidenceOptions {
  /// Who makes the package, where its socket or URL is given; else the log is read here.
  AdminTarget gateway = {};
  QueryWords query = {};
  std::string output = {};
  std::vector<std::string> recipients = {};  ///< Of age; empty: not encrypted.
  bool without_recordings = false;
  bool json = false;
};

struct StatusOptions {
  AdminTarget gateway = {};
  bool json = false;
};

struct ReloadOptions {
  AdminTarget gateway = {};
  bool json = false;
};

struct DrainOptions {
  AdminTarget gateway = {};
  bool json = false;
};

struct TopOptions {
  AdminTarget gateway = {};
  std::string interval = "1s";
  bool once = false;
  bool json = false;
};

struct SessionsOptions {
  AdminTarget gateway = {};
  std::string id = {};  ///< Empty: all that the filters below let through.
  std::string principal = {};
  std::string listener = {};
  std::string target = {};
  bool json = false;
};

struct KillOptions {
  AdminTarget gateway = {};
  std::string id = {};
  std::string reason = {};
  bool json = false;
};

struct PolicyTestOptions {
  /// Whose rules in force are asked, where its socket or URL is given; else a file's.
  AdminTarget gateway = {};
  std::string listener = {};
  std::string subject = {};  ///< Empty: nobody is proved.
  std::vector<std::string> groups = {};
  std::string request = {};  ///< "POST /v1/payments"; or empty, and:
  std::string sql = {};
  std::string host = "localhost";
  std::vector<std::string> headers = {};  ///< "name: value"
  std::optional<std::string> body = {};   ///< Text, or @FILE.
  std::vector<std::string> search_path = {"public"};
  std::string expect = {};  ///< A ruling; empty: any.
  bool json = false;
};

struct PolicyDiffOptions {
  /// Whose versions are compared, where its socket or URL is given; else two files.
  AdminTarget gateway = {};
  std::string before = {};  ///< A file; of a gateway a version.
  std::string after = {};   ///< A file; of a gateway a version, or a file with rules.
  bool json = false;
};

struct PolicyDryRunOptions {
  /// Whose log is read, where its socket or URL is given; else a directory.
  AdminTarget gateway = {};
  std::string version = {};    ///< Of the gateway's: instead of a file.
  std::string directory = {};  ///< Instead of the configuration's.
  QueryWords query = {};
  std::vector<std::string> search_path = {"public"};
  bool json = false;
};

struct LegalHoldAddOptions {
  AdminTarget gateway = {};
  std::string from = {};   ///< RFC 3339, or an age; empty: no bound.
  std::string until = {};  ///< Likewise.
  std::string reason = {};
  bool json = false;
};

struct LegalHoldListOptions {
  AdminTarget gateway = {};
  bool json = false;
};

struct LegalHoldReleaseOptions {
  AdminTarget gateway = {};
  std::uint64_t id = 0;
  bool json = false;
};

struct RequestsOptions {
  AdminTarget gateway = {};
  std::string id = {};     ///< Empty: all.
  std::string state = {};  ///< Only those; empty: any.
  bool json = false;
};

struct DecisionOptions {
  AdminTarget gateway = {};
  std::string id = {};
  std::string reason = {};
  std::string credential_file = {};  ///< Empty: of the environment.
  bool json = false;
};
struct ApproveOptions : DecisionOptions {};
struct DenyOptions : DecisionOptions {};
struct BreakGlassOptions : DecisionOptions {};
struct ReviewOptions : DecisionOptions {};

struct DeleteRecordingOptions {
  AdminTarget gateway = {};
  std::string recording = {};
  std::string reason = {};
  bool json = false;
};

struct KeyNewOptions {
  std::string subject = {};
  std::vector<std::string> groups = {};
  std::string expires = "90d";  ///< RFC 3339, or a time from now such as "90d".
  std::string append_to = {};   ///< Keys file; empty: print the entry.
  bool scram = false;           ///< With a verifier for logins by SCRAM-SHA-256.
  bool json = false;
};

struct KeySigningOptions {
  std::string path = {};
  std::string origin = {};
  bool json = false;
};

struct KeyOperationsOptions {
  std::string path = {};           ///< The signing key's file,
  std::string configuration = {};  ///< or that which names it.
  bool json = false;
};

struct KeyTokensOptions {
  std::string path = {};
  bool json = false;
};

struct KeyListOptions {
  AdminTarget gateway = {};
  bool json = false;
};

struct KeyRevokeOptions {
  AdminTarget gateway = {};
  std::string id = {};
  bool json = false;
};

struct LoginOptions {
  std::string gateway = {};   ///< "https://host:port"
  std::string ca = {};        ///< A file: who may have signed its certificate; empty: the system's.
  std::string provider = {};  ///< By name; empty: the only one.
  std::string provider_ca = {};
  bool device = false;  ///< The person's browser is on another one.
  std::string lifetime = {};
  bool json = false;
};

struct TokenOptions {
  AdminTarget gateway = {};
  std::string credential = {};  ///< file:PATH or env:NAME; or empty, and:
  std::string subject = {};     ///< For whom the operator asks,
  std::vector<std::string> groups = {};
  std::string target = {};    ///< Empty: any.
  std::string lifetime = {};  ///< From now on, such as "1h"; empty: as configured.
  bool json = false;
};

struct TokenRevokeOptions {
  AdminTarget gateway = {};
  std::string id = {};
  bool json = false;
};

struct ConnectOptions {
  std::string target = {};
  AdminTarget gateway = {};   ///< By its URL.
  std::string listener = {};  ///< By name; empty: the only one that leads to the target.
  // Instead of asking the gateway:
  std::string to = {};        ///< "HOST:PORT"
  std::string protocol = {};  ///< That is spoken there.
  std::uint16_t port = 0;     ///< On this host; 0: the usual one.
  std::string database = {};  ///< For the printed line.
  bool json = false;
};

struct LoadOptions {
  std::string url = {};
  std::uint32_t connections = 64;
  std::uint32_t threads = 1;
  std::string duration = "10s";
  std::optional<std::uint64_t> requests = {};  ///< Instead of a duration.
  std::string rate = {};                       ///< Open loop, requests per second.
  std::string find_rate = {};                  ///< A goal such as "p99<2ms".
  std::string rate_steps = {};                 ///< Open loop, instead of rate and duration.
  std::string warmup = "0s";
  std::uint64_t churn = 0;  ///< Requests per connection; 0: no end.
  std::string method = "GET";
  std::vector<std::string> headers = {};
  std::string body = {};  ///< Text, or @FILE.
  std::string mix = {};   ///< A file of requests, instead of one.
  std::uint64_t seed = 1;
  std::string hdr = {};      ///< File for the percentile distribution.
  std::string hdr_log = {};  ///< File for the interval log.
  std::string html = {};     ///< File for the page.
  bool quiet = false;        ///< No live line.
  bool json = false;
};

struct CompletionOptions {
  std::string shell = {};
};

struct ManOptions {
  std::vector<std::string> verb = {};  ///< "policy", "test"; empty: the program.
  std::string output = {};             ///< A folder for all pages; empty: print one.
};

struct DemoOptions {
  bool once = false;
};

ExitCode perform(const RunOptions& options);
ExitCode perform(const CheckOptions& options);
ExitCode perform(const VerifyOptions& options);
ExitCode perform(const BeginEpochOptions& options);
ExitCode perform(const WitnessOptions& options);
ExitCode perform(const TilesOptions& options);
ExitCode perform(const AuditOptions& options);
ExitCode perform(const ReplayOptions& options);
ExitCode perform(const EvidenceOptions& options);
ExitCode perform(const StatusOptions& options);
ExitCode perform(const ReloadOptions& options);
ExitCode perform(const DrainOptions& options);
ExitCode perform(const TopOptions& options);
ExitCode perform(const SessionsOptions& options);
ExitCode perform(const KillOptions& options);
ExitCode perform(const PolicyTestOptions& options);
ExitCode perform(const PolicyDiffOptions& options);
ExitCode perform(const PolicyDryRunOptions& options);
ExitCode perform(const LegalHoldAddOptions& options);
ExitCode perform(const LegalHoldListOptions& options);
ExitCode perform(const LegalHoldReleaseOptions& options);
ExitCode perform(const RequestsOptions& options);
ExitCode perform(const ApproveOptions& options);
ExitCode perform(const DenyOptions& options);
ExitCode perform(const BreakGlassOptions& options);
ExitCode perform(const ReviewOptions& options);
ExitCode perform(const DeleteRecordingOptions& options);
ExitCode perform(const KeyNewOptions& options);
ExitCode perform(const KeySigningOptions& options);
ExitCode perform(const KeyOperationsOptions& options);
ExitCode perform(const KeyTokensOptions& options);
ExitCode perform(const KeyListOptions& options);
ExitCode perform(const KeyRevokeOptions& options);
ExitCode perform(const LoginOptions& options);
ExitCode perform(const TokenOptions& options);
ExitCode perform(const TokenRevokeOptions& options);
ExitCode perform(const ConnectOptions& options);
ExitCode perform(const LoadOptions& options);
ExitCode perform(const DemoOptions& options);
ExitCode perform(const CompletionOptions& options);
ExitCode perform(const ManOptions& options);

using Command =
    std::variant<RunOptions, CheckOptions, VerifyOptions, BeginEpochOptions, WitnessOptions,
                 TilesOptions, AuditOptions, ReplayOptions, EvidenceOptions, StatusOptions,
                 ReloadOptions, DrainOptions, TopOptions, SessionsOptions, KillOptions,
                 PolicyTestOptions, PolicyDiffOptions, PolicyDryRunOptions, LegalHoldAddOptions,
                 LegalHoldListOptions, LegalHoldReleaseOptions, DeleteRecordingOptions,
                 RequestsOptions, ApproveOptions, DenyOptions, BreakGlassOptions, ReviewOptions,
                 KeyNewOptions, KeySigningOptions, KeyOperationsOptions, KeyTokensOptions,
                 KeyListOptions, KeyRevokeOptions, LoginOptions, TokenOptions, TokenRevokeOptions,
                 ConnectOptions, LoadOptions, DemoOptions, CompletionOptions, ManOptions>;

}  // namespace sluice::cli
