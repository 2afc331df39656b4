// The configuration names the built-in finders, the matcher finds with them. The two
// rooms do not know each other; this is where their lists are held together.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string_view>
#include <vector>

#include "config/load/schema.h"
#include "matcher/builtin_finders.h"

using namespace sluice;

TEST_CASE("the configuration's built-in finders are those of the matcher") {
  std::vector<std::string_view> configured;
  for (const auto& choice : config::builtin_finders()) configured.push_back(choice.word);
  const auto& known = matcher::builtin_names_table;
  std::vector<std::string_view> found(known.begin(), known.end());
  std::sort(configured.begin(), configured.end());
  std::sort(found.begin(), found.end());
  CHECK(configured == found);
  for (const std::string_view name : configured) CHECK(matcher::builtin_of(name).has_value());
}
