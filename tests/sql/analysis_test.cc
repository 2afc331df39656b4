#include "sql/analysis.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "describe.h"

using namespace sluice;
using namespace sluice::sql;
using sluice::sql::testing::described;

namespace {

struct Case {
  std::string text;
  std::string expected;
};

/// Texts, each followed by what is expected of it in lines that begin with two blanks.
std::vector<Case> cases_of(const std::string& file) {
  std::ifstream in(fmt::format("{}/{}", SLUICE_TEST_DATA, file));
  std::vector<Case> cases;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (!line.starts_with("  ")) {
      cases.push_back({line, ""});
    } else {
      std::string& expected = cases.back().expected;
      if (!expected.empty()) expected.push_back('\n');
      expected.append(line, 2);
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("An analysis says what a text does") {
  const std::vector<Case> cases = cases_of("analysis_cases.txt");
  REQUIRE(cases.size() >= 40);
  for (const Case& one : cases) {
    INFO(one.text);
    const Result<Analysis> analysis = analyse(one.text);
    const bool literals_matter = analysis && analysis->literals_matter;
    CHECK(fmt::format("{}{}", described(analysis), literals_matter ? " literals" : "") ==
          one.expected);
  }
}
