// Verbs for who works in a shell: completion, manual pages.
#include "cli/arguments/tree.h"

namespace sluice::cli {
namespace {

void add_completion(Tree& tree) {
  auto [made, completion] = add_verb<CompletionOptions>(
      tree, tree.app, "completion", "Print the script by which a shell completes these verbs",
      "  sluice completion bash > /etc/bash_completion.d/sluice\n"
      "  sluice completion fish > ~/.config/fish/completions/sluice.fish");
  made.add_option("shell", completion.shell, "For which shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

void add_man(Tree& tree) {
  auto [made, man] = add_verb<ManOptions>(tree, tree.app, "man", "Print a verb's manual page",
                                          "  sluice man policy test | man -l -\n"
                                          "  sluice man -o /usr/local/share/man/man1");
  auto* verb = made.add_option("verb", man.verb, "The verb; without it the program itself");
  made.add_option("-o,--output", man.output, "Write all pages into this folder instead")
      ->type_name(folder_value)
      ->excludes(verb);
}

}  // namespace

void add_shell_verbs(Tree& tree) {
  add_completion(tree);
  add_man(tree);
}

}  // namespace sluice::cli
