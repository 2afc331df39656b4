#include "cli/arguments/tree.h"

#include <fmt/format.h>

namespace sluice::cli {
namespace {

/// "Exit codes: 0 ok, 1 failed, …"
std::string exit_codes() {
  std::string out;
  for (const auto& [code, meaning] : exit_code_meanings) {
    out +=
        fmt::format("{} {} {}", out.empty() ? "Exit codes:" : ",", static_cast<int>(code), meaning);
  }
  return out;
}

}  // namespace

Tree::Tree()
    : app("Sluice: a gateway that knows who calls, decides before it happens,\n"
          "masks what must not be seen and leaves evidence that verifies.",
          "sluice") {
  app.require_subcommand(1);
  app.set_version_flag("--version", SLUICE_VERSION);
  app.footer(exit_codes() + ".\n`sluice VERB --help` shows a verb with examples.");
  add_serve_verbs(*this);
  add_steering_verbs(*this);
  add_log_verbs(*this);
  add_recording_verbs(*this);
  add_policy_verbs(*this);
  add_credential_verbs(*this);
  add_load_verb(*this);
  add_shell_verbs(*this);
}

CLI::App& add_verb_group(Tree& tree, const char* name, const char* what, const char* examples) {
  auto& group = *tree.app.add_subcommand(name, what);
  group.require_subcommand(1);
  group.footer(std::string("Examples:\n") + examples);
  return group;
}

void add_json(CLI::App& to, bool& json) {
  to.add_flag("--json", json, "Print JSON");
}

void add_configuration(CLI::App& to, std::string& path) {
  to.add_option("-c,--config", path, "Configuration file")
      ->capture_default_str()
      ->type_name(file_value);
}

void add_gateway(CLI::App& to, AdminTarget& gateway) {
  add_configuration(to, gateway.configuration);
  auto* socket =
      to.add_option("--socket", gateway.socket, "Admin socket, instead of the configuration's")
          ->type_name(file_value);
  auto* url = to.add_option("--gateway", gateway.url,
                            "Over TLS instead: https://HOST:PORT, as its admin.listen has it")
                  ->excludes(socket);
  to.add_option("--token", gateway.token,
                "What proves there who you are: file:PATH or env:NAME, of a token or\n"
                "an API key; without it $SLUICE_TOKEN, or what `sluice login` left")
      ->needs(url);
  to.add_option("--ca", gateway.ca, "Who may have signed its certificate; without it the system's")
      ->type_name(file_value)
      ->needs(url);
}

}  // namespace sluice::cli
