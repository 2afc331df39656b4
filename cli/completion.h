// Scripts by which shells complete verbs, options and their values. Each is made from the
// tree of verbs alone: it asks nothing of the gateway, and no file but those it completes.
#pragma once

#include <string>

#include "cli/verb_tree.h"

namespace sluice::cli {

/// For bash 4.4 or newer: /usr/share/bash-completion/completions/sluice.
std::string bash_completion(const Verb& program);
/// For zsh's compinit: a file `_sluice` of $fpath.
std::string zsh_completion(const Verb& program);
/// For fish 3: /usr/share/fish/vendor_completions.d/sluice.fish.
std::string fish_completion(const Verb& program);

}  // namespace sluice::cli
