#include "matcher/body_masker.h"

#include <algorithm>

#include "base/assert.h"
#include "matcher/body_walk.h"

namespace sluice::matcher {

void BodyMasker::start(const MaskProgram& program, const RuleSet& active, BodyKind kind) noexcept {
  program_ = &program;
  active_ = active;
  kind_ = kind;
  value_.begin(no_rule);
  json_.expects = JsonExpects::value;
  json_.in_string = false;
  json_.depth = 0;
  json_.hidden_depth = 0;
  json_.index[0] = 0;
  form_ = {};
  std::fill_n(counts_.begin(), program.size(), 0U);
}

MaskStep BodyMasker::mask(ByteSpan in, bool last, Scratch& scratch) noexcept {
  ASSERT(program_ != nullptr);
  return BodyWalk(*this, in, last, scratch.state()).run();
}

std::span<const std::uint32_t> BodyMasker::counts() const noexcept {
  return {counts_.data(), program_ == nullptr ? 0 : program_->size()};
}

}  // namespace sluice::matcher
