// sluice completion: the script by which a shell completes this program's command lines.
#include "cli/completion.h"

#include "cli/output.h"
#include "cli/verbs.h"

namespace sluice::cli {

ExitCode perform(const CompletionOptions& options) {
  const Verb program = verb_tree();
  fmt::print("{}", options.shell == "bash"  ? bash_completion(program)
                   : options.shell == "zsh" ? zsh_completion(program)
                                            : fish_completion(program));
  return ExitCode::ok;
}

}  // namespace sluice::cli
