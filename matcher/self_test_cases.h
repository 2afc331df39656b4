// The self-test's known answers, apart so that a test can give wrong ones.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "matcher/isa.h"
#include "matcher/mask_rule.h"

namespace sluice::matcher {

struct SelfTestCase {
  Finder finder;
  std::string_view text;
  std::string_view masked;  ///< With every match redacted.
};

std::span<const SelfTestCase> self_test_cases();
Result<void> run_self_test(std::span<const SelfTestCase> cases, Isa isa = best_isa());

}  // namespace sluice::matcher
