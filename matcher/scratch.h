// Working memory of one worker's scans: allocated when a snapshot arrives, never per message.
#pragma once

#include <memory>

#include "base/result.h"
#include "matcher/isa.h"

namespace sluice::matcher {

class MaskProgram;
class PatternSet;

/// Not thread-safe; one per worker. Must have been prepared for every program
/// and pattern set that is scanned with it.
class Scratch {
 public:
  /// isa  one of usable_isas().
  explicit Scratch(Isa isa = best_isa());
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

  Result<void> prepare(const MaskProgram& program);
  Result<void> prepare(const PatternSet& patterns);

  struct State;  // matcher/ only
  [[nodiscard]] State& state() noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace sluice::matcher
