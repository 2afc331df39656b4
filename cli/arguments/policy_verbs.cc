// Verbs that say what rules do before they are live.
#include "cli/arguments/tree.h"

namespace sluice::cli {
void add_policy_verbs(Tree& tree) {
  auto& policy = add_verb_group(
      tree, "policy", "See what rules do before they are live",
      "  sluice policy dry-run -c ./new.yaml --directory /var/lib/sluice/audit --since 7d\n"
      "  sluice policy diff /etc/sluice/sluice.yaml ./new.yaml");

  auto [tested, policy_test] = add_verb<PolicyTestOptions>(
      tree, policy, "test", "Say what would happen to an operation",
      "  sluice policy test --listener payments --subject batch --group settlement "
      "\\\n      --request 'POST /v1/payments' --expect allow\n"
      "  sluice policy test -c ./new.yaml --listener ledger --subject ann "
      "\\\n      --sql 'DELETE FROM accounts' --json\n"
      "  sluice policy test --gateway https://gw1.example.com:9443 --listener payments "
      "\\\n      --request 'GET /v1/payments'");
  add_gateway(tested, policy_test.gateway);
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

  auto [compared, policy_diff] = add_verb<PolicyDiffOptions>(
      tree, policy, "diff", "Say what differs between two configurations",
      "  sluice policy diff /etc/sluice/sluice.yaml ./new.yaml\n"
      "  sluice policy diff old.yaml new.yaml --json\n"
      "  sluice policy diff current ./new.yaml --gateway https://gw1.example.com:9443");
  compared
      .add_option("before", policy_diff.before,
                  "A configuration file; of a gateway a version: current, or a digest\n"
                  "as records have it")
      ->type_name(file_value)
      ->required();
  compared
      .add_option("after", policy_diff.after,
                  "Another; of a gateway a version, too, or a file, of which policies and\n"
                  "masks count")
      ->type_name(file_value)
      ->required();
  add_gateway(compared, policy_diff.gateway);
  add_json(compared, policy_diff.json);

  auto [run_dry, policy_dry_run] = add_verb<PolicyDryRunOptions>(
      tree, policy, "dry-run", "Say which recorded operations would be ruled otherwise",
      "  sluice policy dry-run -c ./new.yaml --directory /var/lib/sluice/audit\n"
      "  sluice policy dry-run -c ./new.yaml --since 7d --principal ann --json\n"
      "  sluice policy dry-run -c ./new.yaml --gateway https://gw1.example.com:9443 --since 7d");
  add_gateway(run_dry, policy_dry_run.gateway);
  run_dry.add_option("--digest", policy_dry_run.version,
                     "Of a gateway: rules that were in force, by their digest in records, instead\n"
                     "of a file's policies and masks");
  run_dry
      .add_option("--directory", policy_dry_run.directory,
                  "Audit directory, instead of the configuration's")
      ->type_name(folder_value)
      ->excludes("--socket")
      ->excludes("--gateway");
  run_dry.add_option("--since", policy_dry_run.query.from,
                     "From this time on: RFC 3339, or an age such as 15m, 2h, 7d");
  run_dry.add_option("--until", policy_dry_run.query.until, "Before this time, in the same forms");
  run_dry.add_option("--principal", policy_dry_run.query.principal, "Only of this subject");
  run_dry.add_option("--target", policy_dry_run.query.target, "Only on this target");
  run_dry
      .add_option("--search-path", policy_dry_run.search_path,
                  "Schemas of names without one, in order")
      ->capture_default_str();
  add_json(run_dry, policy_dry_run.json);
}

}  // namespace sluice::cli
