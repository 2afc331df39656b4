// Manual pages, made from the tree of verbs: groff's man macros (groff_man(7)).
#pragma once

#include <string>

#include "cli/verb_tree.h"

namespace sluice::cli {

/// "sluice-policy-test", of section 1.
std::string man_page_name(const Verb& verb);

/// The page of one verb, or of the program itself; in UTF-8.
/// above   the verb over it; of the program itself null.
std::string man_page(const Verb& verb, const Verb* above);

}  // namespace sluice::cli
