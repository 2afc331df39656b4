// Verbs of the audit log: kept, searched, verified, shown to others.
#include "cli/arguments/tree.h"

namespace sluice::cli {
namespace {

void add_verify(Tree& tree) {
  auto [made, verify] = add_verb<VerifyOptions>(
      tree, tree.app, "verify", "Verify an audit directory or evidence package offline",
      "  sluice verify /var/lib/sluice/audit\n"
      "  sluice verify november.zip --key gateway.vkey --json");
  made.add_option("path", verify.path, "Audit directory, or evidence package")
      ->type_name(file_value)
      ->required();
  made.add_option("--key", verify.key,
                  "Verifier key you trust: its line, or a file that holds it.\n"
                  "Without it the log only proves to be consistent with itself")
      ->type_name(file_value);
  made.add_option("--witness", verify.witness,
                  "Key of a witness that must have seen the log, or a file that holds it")
      ->type_name(file_value);
  made.add_option("--seen", verify.seen,
                  "A file with a checkpoint that you kept, which the log must continue")
      ->type_name(file_value);
  made.add_option("--recordings", verify.recordings,
                  "Folder of recordings: each chunk must be the one that the log names")
      ->type_name(folder_value);
  add_json(made, verify.json);
}

void add_begin_epoch(Tree& tree) {
  auto [made, begin_epoch] = add_verb<BeginEpochOptions>(
      tree, tree.app, "begin-epoch", "Put the audit log aside and begin another behind it",
      "  sluice begin-epoch --reason \"segment 7 was lost with its disk\"\n"
      "  sluice begin-epoch -c ./sluice.yaml --reason \"the key is a year old\"");
  add_configuration(made, begin_epoch.configuration);
  made.add_option("--reason", begin_epoch.reason, "Why, in one line: it is in the first record")
      ->required();
  add_json(made, begin_epoch.json);
}

void add_witness(Tree& tree) {
  auto [made, witness] = add_verb<WitnessOptions>(
      tree, tree.app, "witness", "Remember other gateways' logs and sign what continues them",
      "  sluice witness --key witness.key --log gateway.vkey --state /var/lib/witness "
      "--listen 0.0.0.0:8090\n"
      "  sluice witness --key witness.key --log one.vkey --log two.vkey --state ./seen "
      "--listen 127.0.0.1:8090");
  made.add_option("--key", witness.key, "Its signing key, as `sluice key signing` makes it")
      ->type_name(file_value)
      ->required();
  made.add_option("--log", witness.logs, "A log's verifier line, or a file that holds it")
      ->type_name(file_value)
      ->required();
  made.add_option("--state", witness.state, "Folder of what it saw; never to be restored")
      ->type_name(folder_value)
      ->required();
  made.add_option("--listen", witness.listen, "A numeric address and port")->required();
  add_json(made, witness.json);
}

void add_tiles(Tree& tree) {
  auto [made, tiles] = add_verb<TilesOptions>(
      tree, tree.app, "tiles", "Make the log's tree into files for any web server",
      "  sluice tiles /var/lib/sluice/audit -o /srv/www/log --follow\n"
      "  sluice tiles ./audit -o ./auditors --entries --json");
  made.add_option("directory", tiles.directory, "The audit directory")
      ->type_name(folder_value)
      ->required();
  made.add_option("-o,--output", tiles.output, "The folder; what is there is gone on with")
      ->type_name(folder_value)
      ->required();
  made.add_flag("--entries", tiles.entries, "Write the records, too, not only their hashes");
  made.add_flag("-f,--follow", tiles.follow, "Go on with each new checkpoint until stopped");
  add_json(made, tiles.json);
}

void add_audit(Tree& tree) {
  auto [made, audit] = add_verb<AuditOptions>(
      tree, tree.app, "audit", "Search, follow and print audit records",
      "  sluice audit --since 15m --ruling deny\n"
      "  sluice audit --directory ./audit --principal batch --follow --json\n"
      "  sluice audit --gateway https://gw1.example.com:9443 --since 15m");
  add_gateway(made, audit.gateway);
  made.add_option("--directory", audit.directory, "Audit directory, instead of the configuration's")
      ->type_name(folder_value)
      ->excludes("--socket")
      ->excludes("--gateway");
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

void add_evidence(Tree& tree) {
  auto [made, evidence] = add_verb<EvidenceOptions>(
      tree, tree.app, "evidence", "Pack a time range of the audit log for an auditor",
      "  sluice evidence --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z -o november.zip\n"
      "  sluice evidence --from 7d --principal ann -o ann.zip --json\n"
      "  sluice evidence --from 7d --encrypt-to age1… -o week.zip.age\n"
      "  sluice evidence --gateway https://gw1.example.com:9443 --from 7d -o week.zip");
  add_gateway(made, evidence.gateway);
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
  made.add_option("-o,--output", evidence.output, "The package; must not exist")
      ->type_name(file_value)
      ->required();
  add_json(made, evidence.json);
}

void add_legal_hold(Tree& tree) {
  auto& hold = add_verb_group(
      tree, "legal-hold", "Keep records that retention would remove",
      "  sluice legal-hold add --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z "
      "--reason 'case 17'\n"
      "  sluice legal-hold list");

  auto [added, hold_add] = add_verb<LegalHoldAddOptions>(
      tree, hold, "add", "Keep the segments with records of these times",
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

  auto [listed, hold_list] = add_verb<LegalHoldListOptions>(
      tree, hold, "list", "Show the legal holds in force",
      "  sluice legal-hold list\n"
      "  sluice legal-hold list --json | jq '.legal_holds[].reason'");
  add_gateway(listed, hold_list.gateway);
  add_json(listed, hold_list.json);

  auto [released, hold_release] =
      add_verb<LegalHoldReleaseOptions>(tree, hold, "release", "End a legal hold",
                                        "  sluice legal-hold release 3\n"
                                        "  sluice legal-hold release 3 --json");
  add_gateway(released, hold_release.gateway);
  released.add_option("id", hold_release.id, "Its number, as `list` shows it")->required();
  add_json(released, hold_release.json);
}

}  // namespace

void add_log_verbs(Tree& tree) {
  add_verify(tree);
  add_begin_epoch(tree);
  add_witness(tree);
  add_tiles(tree);
  add_audit(tree);
  add_evidence(tree);
  add_legal_hold(tree);
}

}  // namespace sluice::cli
