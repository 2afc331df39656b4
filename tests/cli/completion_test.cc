#include "cli/completion.h"

#include <catch2/catch.hpp>

using namespace sluice::cli;

namespace {

/// What help texts may hold, and what shells would take for their own.
Verb awkward() {
  Verb verb{.path = "sluice take",
            .what = "Take it: [all], it's $HOME",
            .options = {{.names = {"-w", "--what"},
                         .what = "The 'what'\nof it: `id`",
                         .value = "TEXT",
                         .choices = {"one", "two"}}},
            .stands_alone = true};
  return {.path = "sluice", .what = "It", .verbs = {std::move(verb)}};
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("bash is told values by verb and option, and never sees a help text") {
  const std::string script = bash_completion(awkward());
  CHECK(holds(script, "'sluice take -w' | 'sluice take --what') kind='words one two' ;;"));
  CHECK(holds(script, "'sluice') options='' arguments='words take' ;;"));
  CHECK(holds(script, "'sluice take') options='-w --what' arguments='options' ;;"));
  CHECK_FALSE(holds(script, "HOME"));
}

TEST_CASE("what means something to zsh is escaped") {
  const std::string script = zsh_completion(awkward());
  CHECK(holds(script,
              R"('(-w --what)'{-w,--what}'[The '\''what'\'' of it\: \`id\`]:TEXT:(one two)')"));
  CHECK(holds(script, R"(take\:"Take it\: \[all\], it'\''s \$HOME")"));
}

TEST_CASE("what means something to fish is quoted") {
  const std::string script = fish_completion(awkward());
  CHECK(holds(script, R"(-a take -d 'Take it: [all], it\'s $HOME')"));
  CHECK(holds(script, R"( -s w -l what -x -a 'one two' -d 'The \'what\' of it: `id`')"));
}
