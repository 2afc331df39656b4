#include "matcher/scratch.h"

#include <algorithm>

#include "matcher/compiled_program.h"
#include "matcher/scratch_state.h"

namespace sluice::matcher {

Scratch::Scratch(Isa isa) : state_(std::make_unique<State>(isa)) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

Result<void> Scratch::State::prepare_for(const hs_database_t* database) {
  hs_scratch_t* raw = scanner.release();
  const hs_error_t status = hs_alloc_scratch(database, &raw);
  scanner.reset(raw);
  if (status != HS_SUCCESS) return fail("no memory for the pattern scanner");
  return {};
}

Result<void> Scratch::prepare(const MaskProgram& program) {
  const MaskProgram::Compiled& compiled = program.compiled();
  if (compiled.expression_ends != nullptr) {
    if (auto ready = state_->prepare_for(compiled.expression_ends.get()); !ready) return ready;
  }
  for (const Expression& expression : compiled.expressions) {
    if (auto ready = state_->prepare_for(expression.with_starts.get()); !ready) return ready;
  }
  state_->expression_hits.resize(
      std::max(state_->expression_hits.size(), compiled.expressions.size()));
  return {};
}

}  // namespace sluice::matcher
