// The tree of verbs as plain values: what completion and manual pages are made from.
#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

/// An option, a flag or a positional argument.
struct VerbOption {
  std::vector<std::string> names = {};    ///< "-c", "--config"; of a positional its one name.
  std::string what = {};                  ///< For help; may have several lines.
  std::string value = {};                 ///< "FILE", "FOLDER", "TEXT", …; of a flag empty.
  std::vector<std::string> choices = {};  ///< All the values that it takes; empty: any.
  std::string preset = {};                ///< Its value where it is not given.
  bool is_required = false;
  bool may_repeat = false;
};

struct Verb {
  std::string path = {};  ///< "sluice policy test"
  std::string what = {};
  std::vector<VerbOption> options = {};
  std::vector<VerbOption> positionals = {};
  std::string examples = {};     ///< Whole lines; of "sluice" itself empty.
  bool stands_alone = false;     ///< Does something without a verb below it.
  std::vector<Verb> verbs = {};  ///< Below it.
};

/// The program itself, with all verbs below it.
Verb verb_tree();

/// "policy test" of `sluice policy test`; of the program itself empty.
std::string words_below_program(const Verb& verb);

/// `look` is called with each, parents first.
template <class Look>
void for_each_verb(const Verb& verb, const Look& look) {
  look(verb);
  for (const Verb& below : verb.verbs) for_each_verb(below, look);
}

}  // namespace sluice::cli
