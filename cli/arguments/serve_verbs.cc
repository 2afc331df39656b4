// Verbs that serve, and what comes before: run, check, demo.
#include "cli/arguments/tree.h"

namespace sluice::cli {
namespace {

void add_run(Tree& tree) {
  auto [made, run] =
      add_verb<RunOptions>(tree, tree.app, "run", "Run the gateway until SIGTERM drains it",
                           "  sluice run\n"
                           "  sluice run -c ./sluice.yaml");
  add_configuration(made, run.configuration);
}

void add_check(Tree& tree) {
  auto [made, check] = add_verb<CheckOptions>(
      tree, tree.app, "check", "Validate a configuration; print what it really enforces",
      "  sluice check -c ./sluice.yaml\n"
      "  sluice check --json | jq '.listeners[].rules'");
  add_configuration(made, check.configuration);
  add_json(made, check.json);
  made.add_flag("--print-reference", check.reference, "Print the reference of all keys (Markdown)");
  made.add_flag("--print-schema", check.schema, "Print the JSON Schema of the configuration");
  made.add_flag("--print-openapi", check.openapi, "Print the control API's document (OpenAPI 3.1)");
}

void add_demo(Tree& tree) {
  auto [made, demo] = add_verb<DemoOptions>(tree, tree.app, "demo",
                                            "Show the gateway at work on an embedded payment API",
                                            "  sluice demo\n"
                                            "  sluice demo --once");
  made.add_flag("--once", demo.once, "End after the scripted part");
}

}  // namespace

void add_serve_verbs(Tree& tree) {
  add_run(tree);
  add_check(tree);
  add_demo(tree);
}

}  // namespace sluice::cli
