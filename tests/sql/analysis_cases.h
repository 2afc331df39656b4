// The table of texts and what is expected of them, read from analysis_cases.txt.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <vector>

namespace sluice::sql::testing {

struct Case {
  std::string text;
  std::string expected;
};

/// Texts, each followed by what is expected of it in lines that begin with two blanks.
inline std::vector<Case> analysis_cases() {
  std::ifstream in(fmt::format("{}/analysis_cases.txt", SLUICE_TEST_DATA));
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

}  // namespace sluice::sql::testing
