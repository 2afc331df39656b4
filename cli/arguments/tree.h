// The tree of verbs, as CLI11 parses it. Only this folder includes it: CLI11 costs 4 s of
// compile time per file.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cli/verbs.h"

namespace sluice::cli {

/// All verbs; `command` is what the parsed arguments ask for.
struct Tree {
  Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() = default;

  CLI::App app;
  std::optional<Command> command;
};

// What values are, in help and for completion; elsewhere CLI11 names them by their types.
inline constexpr const char* file_value = "FILE";
inline constexpr const char* folder_value = "FOLDER";

template <class Options>
struct AddedVerb {
  CLI::App& app;
  Options& options;
};

/// `examples` are whole lines, indented by two.
template <class Options>
AddedVerb<Options> add_verb(Tree& tree, CLI::App& parent, const char* name, const char* what,
                            const char* examples) {
  auto& made = *parent.add_subcommand(name, what);
  made.footer(std::string("Examples:\n") + examples);
  // CLI11 writes to the options through pointers; its callback keeps them alive.
  const auto options = std::make_shared<Options>();
  made.callback([&tree, &made, options] {
    // A verb below it speaks for itself.
    if (made.get_subcommands().empty()) tree.command = *options;
  });
  return {made, *options};
}

/// A name that only has verbs below it.
CLI::App& add_verb_group(Tree& tree, const char* name, const char* what, const char* examples);

// Options that many verbs have.
void add_json(CLI::App& to, bool& json);
void add_configuration(CLI::App& to, std::string& path);
void add_gateway(CLI::App& to, AdminTarget& gateway);

// One function for each file of verbs.
void add_serve_verbs(Tree& tree);
void add_log_verbs(Tree& tree);
void add_recording_verbs(Tree& tree);
void add_steering_verbs(Tree& tree);
void add_policy_verbs(Tree& tree);
void add_credential_verbs(Tree& tree);
void add_load_verb(Tree& tree);
void add_shell_verbs(Tree& tree);

}  // namespace sluice::cli
