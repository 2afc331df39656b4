// The one file that knows CLI11 (4 s of compile time).
#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string_view>
#include <vector>

#include "config/load/suggest.h"

namespace sluice::cli {
namespace {

/// Collects the command while CLI11 walks the arguments. Options live here
/// because CLI11 writes to them through pointers.
struct Parser {
  CLI::App app{
      "Sluice: a gateway that knows who calls, decides before it happens,\n"
      "masks what must not be seen and leaves evidence that verifies.",
      "sluice"};
  RunOptions run;
  CheckOptions check;
  VerifyOptions verify;
  BeginEpochOptions begin_epoch;
  WitnessOptions witness;
  TilesOptions tiles;
  AuditOptions audit;
  ReplayOptions replay;
  EvidenceOptions evidence;
  StatusOptions status;
  ReloadOptions reload;
  DrainOptions drain;
  SessionsOptions sessions;
  KillOptions kill;
  PolicyTestOptions policy_test;
  PolicyDiffOptions policy_diff;
  PolicyDryRunOptions policy_dry_run;
  LegalHoldAddOptions hold_add;
  LegalHoldListOptions hold_list;
  LegalHoldReleaseOptions hold_release;
  RequestsOptions all_requests;
  ApproveOptions approve;
  DenyOptions deny;
  DeleteRecordingOptions delete_recording;
  KeyNewOptions key_new;
  KeySigningOptions key_signing;
  KeyOperationsOptions key_operations;
  KeyTokensOptions key_tokens;
  TokenOptions token;
  TokenRevokeOptions token_revoke;
  LoadOptions load;
  DemoOptions demo;
  std::optional<Command> command;

  Parser() {
    app.require_subcommand(1);
    app.set_version_flag("--version", SLUICE_VERSION);
    app.footer(
        "Exit codes: 0 ok, 1 failed, 2 usage, 3 bad configuration, 4 not verified,\n"
        "5 denied, 75 try again. `sluice VERB --help` shows a verb with examples.");
    add_run();
    add_check();
    add_verify();
    add_begin_epoch();
    add_witness();
    add_tiles();
    add_audit();
    add_replay();
    add_evidence();
    add_steering();
    add_sessions();
    add_policy();
    add_legal_hold();
    add_requests();
    add_delete_recording();
    add_key();
    add_token();
    add_load();
    add_demo();
  }

  template <class Options>
  CLI::App& verb(CLI::App& parent, const char* name, const char* what, Options& options,
                 const char* examples) {
    auto& made = *parent.add_subcommand(name, what);
    made.footer(std::string("Examples:\n") + examples);
    made.callback([this, &options] { command = options; });
    return made;
  }

  static void add_json(CLI::App& to, bool& json) { to.add_flag("--json", json, "Print JSON"); }

  static void add_configuration(CLI::App& to, std::string& path) {
    to.add_option("-c,--config", path, "Configuration file")->capture_default_str();
  }

  void add_run() {
    auto& made = verb(app, "run", "Run the gateway until SIGTERM drains it", run,
                      "  sluice run\n"
                      "  sluice run -c ./sluice.yaml");
    add_configuration(made, run.configuration);
  }

  void add_check() {
    auto& made =
        verb(app, "check", "Validate a configuration; print what it really enforces", check,
             "  sluice check -c ./sluice.yaml\n"
             "  sluice check --json | jq '.listeners[].rules'");
    add_configuration(made, check.configuration);
    add_json(made, check.json);
    made.add_flag("--print-reference", check.reference,
                  "Print the reference of all keys (Markdown)");
    made.add_flag("--print-schema", check.schema, "Print the JSON Schema of the configuration");
    made.add_flag("--print-openapi", check.openapi,
                  "Print the control API's document (OpenAPI 3.1)");
  }

  void add_verify() {
    auto& made =
        verb(app, "verify", "Verify an audit directory or evidence package offline", verify,
             "  sluice verify /var/lib/sluice/audit\n"
             "  sluice verify november.zip --key gateway.vkey --json");
    made.add_option("path", verify.path, "Audit directory, or evidence package")->required();
    made.add_option("--key", verify.key,
                    "Verifier key you trust: its line, or a file that holds it.\n"
                    "Without it the log only proves to be consistent with itself");
    made.add_option("--witness", verify.witness,
                    "Key of a witness that must have seen the log, or a file that holds it");
    made.add_option("--seen", verify.seen,
                    "A file with a checkpoint that you kept, which the log must continue");
    made.add_option("--recordings", verify.recordings,
                    "Folder of recordings: each chunk must be the one that the log names");
    add_json(made, verify.json);
  }

  void add_begin_epoch() {
    auto& made =
        verb(app, "begin-epoch", "Put the audit log aside and begin another behind it", begin_epoch,
             "  sluice begin-epoch --reason \"segment 7 was lost with its disk\"\n"
             "  sluice begin-epoch -c ./sluice.yaml --reason \"the key is a year old\"");
    add_configuration(made, begin_epoch.configuration);
    made.add_option("--reason", begin_epoch.reason, "Why, in one line: it is in the first record")
        ->required();
    add_json(made, begin_epoch.json);
  }

  void add_witness() {
    auto& made =
        verb(app, "witness", "Remember other gateways' logs and sign what continues them", witness,
             "  sluice witness --key witness.key --log gateway.vkey --state /var/lib/witness "
             "--listen 0.0.0.0:8090\n"
             "  sluice witness --key witness.key --log one.vkey --log two.vkey --state ./seen "
             "--listen 127.0.0.1:8090");
    made.add_option("--key", witness.key, "Its signing key, as `sluice key signing` makes it")
        ->required();
    made.add_option("--log", witness.logs, "A log's verifier line, or a file that holds it")
        ->required();
    made.add_option("--state", witness.state, "Folder of what it saw; never to be restored")
        ->required();
    made.add_option("--listen", witness.listen, "A numeric address and port")->required();
  }

  void add_tiles() {
    auto& made = verb(app, "tiles", "Make the log's tree into files for any web server", tiles,
                      "  sluice tiles /var/lib/sluice/audit -o /srv/www/log --follow\n"
                      "  sluice tiles ./audit -o ./auditors --entries --json");
    made.add_option("directory", tiles.directory, "The audit directory")->required();
    made.add_option("-o,--output", tiles.output, "The folder; what is there is gone on with")
        ->required();
    made.add_flag("--entries", tiles.entries, "Write the records, too, not only their hashes");
    made.add_flag("-f,--follow", tiles.follow, "Go on with each new checkpoint until stopped");
    add_json(made, tiles.json);
  }

  void add_audit() {
    auto& made = verb(app, "audit", "Search, follow and print audit records", audit,
                      "  sluice audit --since 15m --ruling deny\n"
                      "  sluice audit --directory ./audit --principal batch --follow --json");
    add_configuration(made, audit.configuration);
    made.add_option("--directory", audit.directory,
                    "Audit directory, instead of the configuration's");
    made.add_option("--since", audit.query.from,
                    "From this time on: RFC 3339, or an age such as 15m, 2h, 7d");
    made.add_option("--until", audit.query.until, "Before this time, in the same forms");
    made.add_option("--record", audit.query.record,
                    "Only the operation with this record, as a refusal names it");
    made.add_option("--principal", audit.query.principal, "Only operations of this subject");
    made.add_option("--target", audit.query.target, "Only operations on this target");
    made.add_option("--ruling", audit.query.ruling, "Only operations with this ruling")
        ->check(CLI::IsMember({"allow", "deny", "hold"}));
    made.add_option("--rule", audit.query.rule, "Only operations that this rule decided");
    made.add_option("--session", audit.query.session, "Only records of this session");
    made.add_flag("-f,--follow", audit.follow, "Go on with records as they are written");
    add_json(made, audit.json);
  }

  void add_replay() {
    auto& made =
        verb(app, "replay", "Show what a recorded session did, to who can decrypt it", replay,
             "  sluice replay 4be3f0c1d2a59687-3-1 --identity file:auditor.key\n"
             "  sluice replay 4be3f0c1d2a59687-3-1 --identity auditor.key --at 10m --speed 4\n"
             "  sluice replay 4be3f0c1d2a59687-3-1 --identity auditor.key --directory ./recordings "
             "\\\n      --search customers --json");
    made.add_option("recording", replay.recording, "The recording, as audit records name it")
        ->required();
    made.add_option("--identity", replay.identity,
                    "A file with the secret key, as age-keygen makes it")
        ->required();
    add_configuration(made, replay.configuration);
    made.add_option("--directory", replay.directory,
                    "Folder of recordings, instead of the configuration's");
    made.add_option("--at", replay.at,
                    "From this time on: RFC 3339, or how long after the beginning, e.g. 10m");
    made.add_option("--speed", replay.speed, "So many times as fast as it was; 0: at once")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    made.add_option("--search", replay.search, "Only what holds this text, and what it belongs to");
    add_json(made, replay.json);
  }

  void add_evidence() {
    auto& made = verb(
        app, "evidence", "Pack a time range of the audit log for an auditor", evidence,
        "  sluice evidence --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z -o november.zip\n"
        "  sluice evidence --from 7d --principal ann -o ann.zip --json\n"
        "  sluice evidence --from 7d --encrypt-to age1… -o week.zip.age");
    add_configuration(made, evidence.configuration);
    made.add_option("--from", evidence.query.from,
                    "From this time on: RFC 3339, or an age such as 15m, 2h, 7d;\n"
                    "without it from the log's beginning");
    made.add_option("--to", evidence.query.until, "Before this time, in the same forms");
    made.add_option("--principal", evidence.query.principal,
                    "Show operations of this subject only; of the rest, hashes");
    made.add_option("--target", evidence.query.target, "Show operations on this target only");
    made.add_option("--session", evidence.query.session, "Show records of this session only");
    made.add_flag("--without-recordings", evidence.without_recordings,
                  "Leave out the recordings of operations that it shows");
    made.add_option("--encrypt-to", evidence.recipients,
                    "Encrypt the package to this recipient of age (age1…), and more of them");
    made.add_option("-o,--output", evidence.output, "The package; must not exist")->required();
    add_json(made, evidence.json);
  }

  static void add_gateway(CLI::App& to, AdminTarget& gateway) {
    add_configuration(to, gateway.configuration);
    to.add_option("--socket", gateway.socket, "Admin socket, instead of the configuration's");
  }

  void add_steering() {
    auto& shown = verb(app, "status", "Show how the running gateway fares", status,
                       "  sluice status\n"
                       "  sluice status --socket /run/sluice/admin.sock --json");
    add_gateway(shown, status.gateway);
    add_json(shown, status.json);
    auto& reloaded =
        verb(app, "reload", "Take up the changed configuration; connections stay", reload,
             "  sluice reload\n"
             "  sluice reload -c ./sluice.yaml");
    add_gateway(reloaded, reload.gateway);
    add_json(reloaded, reload.json);
    auto& drained =
        verb(app, "drain", "Finish what is under way, take nothing new, then stop", drain,
             "  sluice drain\n"
             "  sluice drain --socket /run/sluice/admin.sock --json");
    add_gateway(drained, drain.gateway);
    add_json(drained, drain.json);
  }

  void add_sessions() {
    auto& listed = verb(app, "sessions", "Show who is connected, and what they do", sessions,
                        "  sluice sessions --principal ann\n"
                        "  sluice sessions --json | jq '.sessions[] | select(.state == \"busy\")'");
    add_gateway(listed, sessions.gateway);
    auto* id = listed.add_option("id", sessions.id, "Only this one");
    listed.add_option("--principal", sessions.principal, "Only those of this subject")
        ->excludes(id);
    listed.add_option("--listener", sessions.listener, "Only those of this listener")->excludes(id);
    listed.add_option("--target", sessions.target, "Only those to this target")->excludes(id);
    add_json(listed, sessions.json);

    auto& killed = verb(app, "kill", "End a session, and what it runs; its client is told", kill,
                        "  sluice kill 4be3f0c1d2a59687-3\n"
                        "  sluice kill 4be3f0c1d2a59687-3 --reason 'runaway report' --json");
    add_gateway(killed, kill.gateway);
    killed.add_option("id", kill.id, "The session, as `sluice sessions` names it")->required();
    killed.add_option("--reason", kill.reason, "Why, for the log");
    add_json(killed, kill.json);
  }

  void add_policy() {
    auto& policy = *app.add_subcommand("policy", "See what rules do before they are live");
    policy.require_subcommand(1);
    policy.footer(
        "Examples:\n"
        "  sluice policy dry-run -c ./new.yaml --directory /var/lib/sluice/audit --since 7d\n"
        "  sluice policy diff /etc/sluice/sluice.yaml ./new.yaml");

    auto& tested =
        verb(policy, "test", "Say what would happen to an operation", policy_test,
             "  sluice policy test --listener payments --subject batch --group settlement "
             "\\\n      --request 'POST /v1/payments' --expect allow\n"
             "  sluice policy test -c ./new.yaml --listener ledger --subject ann "
             "\\\n      --sql 'DELETE FROM accounts' --json");
    add_configuration(tested, policy_test.configuration);
    tested.add_option("--listener", policy_test.listener, "Where it arrives")->required();
    tested.add_option("--subject", policy_test.subject, "Who asks; without it nobody is proved");
    tested.add_option("--group", policy_test.groups, "Who is in this group, and more of them");
    auto* request =
        tested.add_option("--request", policy_test.request, "A method and a path with its query");
    tested.add_option("--sql", policy_test.sql, "A text of SQL")->excludes(request);
    tested.add_option("--host", policy_test.host, "Of the request")->capture_default_str();
    tested.add_option("-H,--header", policy_test.headers, "\"name: value\", and more of them");
    tested.add_option("--body", policy_test.body, "Of the request; @FILE takes it from a file");
    tested
        .add_option("--search-path", policy_test.search_path,
                    "Schemas of names without one, in order")
        ->capture_default_str();
    tested.add_option("--expect", policy_test.expect, "Leave with 1 when the ruling is another")
        ->check(CLI::IsMember({"allow", "deny", "hold"}));
    add_json(tested, policy_test.json);

    auto& compared =
        verb(policy, "diff", "Say what differs between two configurations", policy_diff,
             "  sluice policy diff /etc/sluice/sluice.yaml ./new.yaml\n"
             "  sluice policy diff old.yaml new.yaml --json");
    compared.add_option("before", policy_diff.before, "A configuration file")->required();
    compared.add_option("after", policy_diff.after, "Another")->required();
    add_json(compared, policy_diff.json);

    auto& run_dry = verb(policy, "dry-run",
                         "Say which recorded operations would be ruled otherwise", policy_dry_run,
                         "  sluice policy dry-run -c ./new.yaml --directory /var/lib/sluice/audit\n"
                         "  sluice policy dry-run -c ./new.yaml --since 7d --principal ann --json");
    add_configuration(run_dry, policy_dry_run.configuration);
    run_dry.add_option("--directory", policy_dry_run.directory,
                       "Audit directory, instead of the configuration's");
    run_dry.add_option("--since", policy_dry_run.query.from,
                       "From this time on: RFC 3339, or an age such as 15m, 2h, 7d");
    run_dry.add_option("--until", policy_dry_run.query.until,
                       "Before this time, in the same forms");
    run_dry.add_option("--principal", policy_dry_run.query.principal, "Only of this subject");
    run_dry.add_option("--target", policy_dry_run.query.target, "Only on this target");
    run_dry
        .add_option("--search-path", policy_dry_run.search_path,
                    "Schemas of names without one, in order")
        ->capture_default_str();
    add_json(run_dry, policy_dry_run.json);
  }

  void add_legal_hold() {
    auto& hold = *app.add_subcommand("legal-hold", "Keep records that retention would remove");
    hold.require_subcommand(1);
    hold.footer(
        "Examples:\n"
        "  sluice legal-hold add --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z "
        "--reason 'case 17'\n"
        "  sluice legal-hold list");

    auto& added = verb(hold, "add", "Keep the segments with records of these times", hold_add,
                       "  sluice legal-hold add --from 30d --reason 'case 17'\n"
                       "  sluice legal-hold add --from 2026-11-01T00:00:00Z "
                       "--to 2026-12-01T00:00:00Z --reason 'case 18' --json");
    add_gateway(added, hold_add.gateway);
    added.add_option("--from", hold_add.from,
                     "From this time on: RFC 3339, or an age such as 15m, 2h, 7d;\n"
                     "without it from the log's beginning");
    added.add_option("--to", hold_add.until,
                     "Before this time, in the same forms; without it until it is released");
    added.add_option("--reason", hold_add.reason, "Why, for the log; one line")->required();
    add_json(added, hold_add.json);

    auto& listed = verb(hold, "list", "Show the legal holds in force", hold_list,
                        "  sluice legal-hold list\n"
                        "  sluice legal-hold list --json | jq '.legal_holds[].reason'");
    add_gateway(listed, hold_list.gateway);
    add_json(listed, hold_list.json);

    auto& released = verb(hold, "release", "End a legal hold", hold_release,
                          "  sluice legal-hold release 3\n"
                          "  sluice legal-hold release 3 --json");
    add_gateway(released, hold_release.gateway);
    released.add_option("id", hold_release.id, "Its number, as `list` shows it")->required();
    add_json(released, hold_release.json);
  }

  void add_requests() {
    auto& listed =
        verb(app, "requests", "Show operations that wait for approval, or did", all_requests,
             "  sluice requests --state waiting\n"
             "  sluice requests 7KQ2M9XF --json");
    add_gateway(listed, all_requests.gateway);
    auto* id = listed.add_option("id", all_requests.id, "Only this one, with all there is to know");
    listed.add_option("--state", all_requests.state, "Only those in this state")
        ->check(CLI::IsMember({"waiting", "approved", "denied", "expired", "withdrawn", "lost"}))
        ->excludes(id);
    add_json(listed, all_requests.json);
    add_decision(verb(app, "approve", "Agree that an operation runs that waits for it", approve,
                      "  sluice approve 7KQ2M9XF\n"
                      "  sluice approve 7KQ2M9XF --credential-file ~/.sluice/key "
                      "--reason 'ticket 17'"),
                 approve);
    add_decision(verb(app, "deny", "Refuse an operation that waits for approval", deny,
                      "  sluice deny 7KQ2M9XF --reason 'not today'\n"
                      "  sluice deny 7KQ2M9XF --credential-file ~/.sluice/key --json"),
                 deny);
  }

  static void add_decision(CLI::App& to, DecisionOptions& decision) {
    add_gateway(to, decision.gateway);
    to.add_option("id", decision.id, "The request, as `sluice requests` names it")->required();
    to.add_option("--reason", decision.reason, "Why, for the log and for who asked");
    to.add_option("--credential-file", decision.credential_file,
                  "A file whose first line is your API key or token; without it\n"
                  "$SLUICE_CREDENTIAL is taken");
    add_json(to, decision.json);
  }

  void add_delete_recording() {
    auto& made = verb(
        app, "delete-recording", "Remove a recording; the log says who, and why", delete_recording,
        "  sluice delete-recording 4be3f0c1d2a59687-3-1 --reason 'request 88'\n"
        "  sluice delete-recording 4be3f0c1d2a59687-3-1 --reason 'request 88' --json");
    add_gateway(made, delete_recording.gateway);
    made.add_option("recording", delete_recording.recording,
                    "Its name, as `recording` in records of the log")
        ->required();
    made.add_option("--reason", delete_recording.reason, "Why, for the log; one line")->required();
    add_json(made, delete_recording.json);
  }

  void add_key() {
    auto& key = *app.add_subcommand("key", "Make API keys and audit signing keys");
    key.require_subcommand(1);
    key.footer(
        "Examples:\n"
        "  sluice key new --subject batch --group settlement\n"
        "  sluice key signing --file /etc/sluice/audit.key --origin gw1.example.com");

    auto& made = verb(key, "new", "Make an API key; the secret is shown once", key_new,
                      "  sluice key new --subject batch --group settlement --expires 30d\n"
                      "  sluice key new --subject ann --group staff --scram "
                      "--append-to /etc/sluice/api_keys.yaml");
    made.add_option("--subject", key_new.subject, "Who calls with it")->required();
    made.add_option("--group", key_new.groups, "A group of the subject; may be repeated");
    made.add_option("--expires", key_new.expires, "RFC 3339, or a time from now such as 12h, 90d")
        ->capture_default_str();
    made.add_option("--append-to", key_new.append_to, "Add the entry to this keys file");
    made.add_flag("--scram", key_new.scram,
                  "For PostgreSQL logins that do not show the key: SCRAM-SHA-256");
    add_json(made, key_new.json);

    auto& signing =
        verb(key, "signing", "Make the key that signs the audit log", key_signing,
             "  sluice key signing --file /etc/sluice/audit.key --origin gw1.example.com\n"
             "  sluice key signing --file ./audit.key --origin demo > gateway.vkey");
    signing.add_option("--file", key_signing.path, "Where the secret half goes (mode 0600)")
        ->required();
    signing.add_option("--origin", key_signing.origin, "Name of this log in its checkpoints")
        ->required();
    add_json(signing, key_signing.json);

    auto& operations = verb(key, "operations",
                            "Print the key of the digests of unmasked operations", key_operations,
                            "  sluice key operations --file /etc/sluice/audit.key\n"
                            "  sluice key operations -c sluice.yaml | xxd -r -p > digests.key");
    operations.add_option("--file", key_operations.path,
                          "The audit signing key, where it is a file");
    operations.add_option("-c,--config", key_operations.configuration,
                          "The configuration that names it, where it is in a token");
    add_json(operations, key_operations.json);

    auto& tokens =
        verb(key, "tokens", "Make the key that signs the gateway's own tokens", key_tokens,
             "  sluice key tokens --file /etc/sluice/tokens.key\n"
             "  sluice key tokens --file ./tokens.key --json");
    tokens.add_option("--file", key_tokens.path, "Where it goes (mode 0600); must not exist")
        ->required();
    add_json(tokens, key_tokens.json);
  }

  void add_token() {
    auto& made = verb(app, "token", "Print a short-lived token of the gateway's own", token,
                      "  export TOKEN=$(sluice token --credential file:./api.key --for ledger-db)\n"
                      "  sluice token --subject batch --group settlement --lifetime 15m --json");
    made.require_subcommand(0, 1);
    made.callback([this, &made] {
      if (made.get_subcommands().empty()) command = token;
    });
    add_gateway(made, token.gateway);
    auto* credential = made.add_option("--credential", token.credential,
                                       "Who asks: file:PATH or env:NAME, of an API key or of a "
                                       "provider's token");
    made.add_option("--subject", token.subject, "As operator: for whom")->excludes(credential);
    made.add_option("--group", token.groups, "As operator: a group of the subject; may be repeated")
        ->excludes(credential);
    made.add_option("--for", token.target, "The one target that it is to be good for");
    made.add_option("--lifetime", token.lifetime, "How long, such as 15m or 8h");
    add_json(made, token.json);

    auto& revoked = verb(made, "revoke", "Take a token back, by its id", token_revoke,
                         "  sluice token revoke 5f0lFQ3m2yq7b1Zc9dXeVg\n"
                         "  sluice token revoke 5f0lFQ3m2yq7b1Zc9dXeVg --json");
    add_gateway(revoked, token_revoke.gateway);
    revoked.add_option("id", token_revoke.id, "Its `jti`, as records and --json show it")
        ->required();
    add_json(revoked, token_revoke.json);
  }

  void add_load() {
    auto& made =
        verb(app, "load", "Send requests by a schedule or as fast as they are answered", load,
             "  sluice load http://127.0.0.1:8080/ -c 64 -d 10s\n"
             "  sluice load http://127.0.0.1:8080/ --rate 20k -d 60s --warmup 5s\n"
             "  sluice load http://127.0.0.1:8080/ --rate-steps 5k:50k:5k/10s --html load.html\n"
             "  sluice load http://127.0.0.1:8080/ --find-rate 'p99<2ms'\n"
             "  sluice load http://127.0.0.1:8080/v1/payments -m POST -b @body.json \\\n"
             "      -H 'Authorization: Bearer sk_…' -n 100000 --json");
    made.add_option("url", load.url, "http://HOST:PORT/PATH")->required();
    made.add_option("-c,--connections", load.connections, "Connections kept open")
        ->capture_default_str()
        ->check(CLI::Range(1, 16384));
    made.add_option("-t,--threads", load.threads, "Threads")
        ->capture_default_str()
        ->check(CLI::Range(1, 256));
    auto* duration =
        made.add_option("-d,--duration", load.duration, "How long")->capture_default_str();
    auto* requests =
        made.add_option("-n,--requests", load.requests, "How many requests, instead of how long")
            ->excludes(duration)
            ->check(CLI::PositiveNumber);
    auto* rate = made.add_option("--rate", load.rate,
                                 "Open loop: requests per second over all connections, e.g. 20k;\n"
                                 "latency counts from when a request was due")
                     ->excludes(requests);
    auto* steps = made.add_option("--rate-steps", load.rate_steps,
                                  "Open loop: FROM:TO:STEP/DURATION, e.g. 5k:50k:5k/10s")
                      ->excludes(requests)
                      ->excludes(duration)
                      ->excludes(rate);
    made.add_option("--find-rate", load.find_rate,
                    "Find the highest rate with e.g. 'p99<2ms', from --rate on")
        ->excludes(requests)
        ->excludes(steps);
    made.add_option("--warmup", load.warmup, "Load before counting begins")
        ->capture_default_str()
        ->excludes(requests);
    made.add_option("--churn", load.churn, "A new connection after so many requests");
    auto* method = made.add_option("-m,--method", load.method, "Method")->capture_default_str();
    auto* header =
        made.add_option("-H,--header", load.headers, "'Name: value'; may be repeated")->take_all();
    auto* body = made.add_option("-b,--body", load.body, "Body: text, or @FILE");
    made.add_option("--mix", load.mix, "Requests, checks and identities from a file (docs/load.md)")
        ->excludes(method)
        ->excludes(header)
        ->excludes(body);
    made.add_option("--seed", load.seed, "For what the mix leaves to chance")
        ->capture_default_str();
    made.add_option("--hdr", load.hdr, "Write the percentile distribution (.hgrm) to this file");
    made.add_option("--hdr-log", load.hdr_log, "Write HdrHistogram's interval log to this file");
    made.add_option("--html", load.html, "Write a page with plots to this file");
    made.add_flag("--quiet", load.quiet, "No live line on the terminal");
    add_json(made, load.json);
  }

  void add_demo() {
    auto& made = verb(app, "demo", "Show the gateway at work on an embedded payment API", demo,
                      "  sluice demo\n"
                      "  sluice demo --once");
    made.add_flag("--once", demo.once, "End after the scripted part");
  }
};

}  // namespace

std::variant<Command, ExitCode> parse_arguments(int argc, const char* const* argv) {
  Parser parser;
  // CLI11 would only say that a subcommand is required.
  if (const std::string_view verb = argc > 1 ? argv[1] : "-"; !verb.starts_with('-')) {
    std::vector<std::string> names;
    for (const auto* known : parser.app.get_subcommands({})) names.push_back(known->get_name());
    if (std::find(names.begin(), names.end(), verb) == names.end()) {
      const std::vector<std::string_view> known(names.begin(), names.end());
      const std::string nearest = config::suggestion_for(verb, known);
      std::cerr << "sluice: there is no verb '" << verb << "'; "
                << (nearest.empty() ? "`sluice --help` lists them" : nearest) << '\n';
      return ExitCode::usage;
    }
  }
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ParseError& outcome) {
    // CLI11 reports --help and --version as exceptions too, with code 0.
    return parser.app.exit(outcome, std::cout, std::cerr) == 0 ? ExitCode::ok : ExitCode::usage;
  }
  return *parser.command;
}

}  // namespace sluice::cli
