// Bodies to mask: examples chosen by hand, and random ones made of fragments
// that are, or nearly are, what finders look for.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "matcher/mask_rule.h"

namespace sluice::testing {

std::vector<matcher::MaskRule> mixed_rules();
const std::vector<std::string>& example_texts();
const std::vector<std::string>& example_json();

class BodyMaker {
 public:
  explicit BodyMaker(std::uint64_t seed) : random_(seed) {}

  std::string text(std::size_t size);
  std::string form(std::size_t size);
  std::string form_text(std::size_t size);
  std::string json(std::size_t size);
  /// Well-formed, one value, at least `size` bytes.
  std::string long_json(std::size_t size);
  /// With its quotes; all of it escaped, or some.
  std::string json_string(std::size_t size, bool heavily_escaped);

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  std::string fragment();
  std::string near_miss(std::string fragment);
  std::string escaped(const std::string& utf8, std::size_t one_in);
  std::string json_value(std::size_t size, int depth);

  std::mt19937_64 random_;
};

}  // namespace sluice::testing
