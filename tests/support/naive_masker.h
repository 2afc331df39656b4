// A masker that is obviously right and in no hurry: the whole body at once, every
// finder as a question about every place, plain loops. docs/masks.md said again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matcher/body_masker.h"
#include "matcher/mask_rule.h"

namespace sluice::testing {

struct NaiveResult {
  bool is_malformed = false;
  std::string output;  ///< Empty when malformed.
  std::vector<std::uint32_t> counts;
};

/// A match of one rule in one decoded value: [start, end).
struct NaiveMatch {
  std::size_t start = 0;
  std::size_t end = 0;
  std::size_t rule = 0;
};

/// Rules must be such that MaskProgram::compile takes them.
NaiveResult naive_mask(std::span<const matcher::MaskRule> rules, const matcher::RuleSet& active,
                       matcher::BodyKind kind, std::string_view body, std::string_view hash_key);

/// All matches of one built-in in one value.
std::vector<NaiveMatch> naive_find(std::string_view builtin, std::string_view value);

/// RFC 8259, any number of top-level values, nesting of at most 128.
bool naive_is_json(std::string_view body);

}  // namespace sluice::testing
