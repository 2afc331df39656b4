// Verbs that see and steer a running gateway.
#include "cli/arguments/tree.h"

namespace sluice::cli {
namespace {

void add_steering(Tree& tree) {
  auto [shown, status] =
      add_verb<StatusOptions>(tree, tree.app, "status", "Show how the running gateway fares",
                              "  sluice status\n"
                              "  sluice status --gateway https://gw1.example.com:9443 --json");
  add_gateway(shown, status.gateway);
  add_json(shown, status.json);
  auto [reloaded, reload] = add_verb<ReloadOptions>(
      tree, tree.app, "reload", "Take up the changed configuration; connections stay",
      "  sluice reload\n"
      "  sluice reload -c ./sluice.yaml");
  add_gateway(reloaded, reload.gateway);
  add_json(reloaded, reload.json);
  auto [drained, drain] = add_verb<DrainOptions>(
      tree, tree.app, "drain", "Finish what is under way, take nothing new, then stop",
      "  sluice drain\n"
      "  sluice drain --socket /run/sluice/admin.sock --json");
  add_gateway(drained, drain.gateway);
  add_json(drained, drain.json);
}

void add_top(Tree& tree) {
  auto [shown, top] = add_verb<TopOptions>(
      tree, tree.app, "top", "Show live what passes: rates, latencies, holds, denials by rule",
      "  sluice top\n"
      "  sluice top --interval 5s --json | jq -c '.targets[] | [.target, .p99_us]'");
  add_gateway(shown, top.gateway);
  shown.add_option("--interval", top.interval, "How often, such as 500ms or 10s")
      ->capture_default_str();
  shown.add_flag("--once", top.once, "One interval, then end");
  add_json(shown, top.json);
}

void add_sessions(Tree& tree) {
  auto [listed, sessions] = add_verb<SessionsOptions>(
      tree, tree.app, "sessions", "Show who is connected, and what they do",
      "  sluice sessions --principal ann\n"
      "  sluice sessions --json | jq '.sessions[] | select(.state == \"busy\")'");
  add_gateway(listed, sessions.gateway);
  auto* id = listed.add_option("id", sessions.id, "Only this one");
  listed.add_option("--principal", sessions.principal, "Only those of this subject")->excludes(id);
  listed.add_option("--listener", sessions.listener, "Only those of this listener")->excludes(id);
  listed.add_option("--target", sessions.target, "Only those to this target")->excludes(id);
  add_json(listed, sessions.json);

  auto [killed, kill] = add_verb<KillOptions>(
      tree, tree.app, "kill", "End a session, and what it runs; its client is told",
      "  sluice kill 4be3f0c1d2a59687-3\n"
      "  sluice kill 4be3f0c1d2a59687-3 --reason 'runaway report' --json");
  add_gateway(killed, kill.gateway);
  killed.add_option("id", kill.id, "The session, as `sluice sessions` names it")->required();
  killed.add_option("--reason", kill.reason, "Why, for the log");
  add_json(killed, kill.json);
}

template <class Options>
void add_decision(const AddedVerb<Options>& verb) {
  auto& [to, decision] = verb;
  add_gateway(to, decision.gateway);
  to.add_option("id", decision.id, "The request, as `sluice requests` names it")->required();
  to.add_option("--reason", decision.reason, "Why, for the log and for who asked");
  to.add_option("--credential-file", decision.credential_file,
                "A file whose first line is your API key or token; without it\n"
                "$SLUICE_CREDENTIAL is taken")
      ->type_name(file_value);
  add_json(to, decision.json);
}

void add_requests(Tree& tree) {
  auto [listed, all_requests] = add_verb<RequestsOptions>(
      tree, tree.app, "requests", "Show operations that wait for approval, or did",
      "  sluice requests --state waiting\n"
      "  sluice requests 7KQ2M9XF --json");
  add_gateway(listed, all_requests.gateway);
  auto* id = listed.add_option("id", all_requests.id, "Only this one, with all there is to know");
  listed.add_option("--state", all_requests.state, "Only those in this state")
      ->check(CLI::IsMember({"waiting", "approved", "denied", "expired", "withdrawn", "lost",
                             "unreviewed", "reviewed"}))
      ->excludes(id);
  add_json(listed, all_requests.json);

  add_decision(add_verb<ApproveOptions>(
      tree, tree.app, "approve", "Agree that an operation runs that waits for it",
      "  sluice approve 7KQ2M9XF\n"
      "  sluice approve 7KQ2M9XF --credential-file ~/.sluice/key --reason 'ticket 17'"));
  add_decision(
      add_verb<DenyOptions>(tree, tree.app, "deny", "Refuse an operation that waits for approval",
                            "  sluice deny 7KQ2M9XF --reason 'not today'\n"
                            "  sluice deny 7KQ2M9XF --credential-file ~/.sluice/key --json"));
  add_decision(add_verb<BreakGlassOptions>(
      tree, tree.app, "break-glass", "Run an operation that waits, alone and at once",
      "  sluice break-glass 7KQ2M9XF --reason 'incident 4711: payments are down'\n"
      "  sluice break-glass 7KQ2M9XF --reason 'incident 4711' --json"));
  add_decision(add_verb<ReviewOptions>(
      tree, tree.app, "review", "Say that what was run by breaking the glass was looked at",
      "  sluice review 7KQ2M9XF --reason 'post mortem 4711: it was right'\n"
      "  sluice review 7KQ2M9XF --reason 'ticket 17' --json"));
}

}  // namespace

void add_steering_verbs(Tree& tree) {
  add_steering(tree);
  add_top(tree);
  add_sessions(tree);
  add_requests(tree);
}

}  // namespace sluice::cli
