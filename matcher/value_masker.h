// Finds and masks within one window of one value. The windows of a value may lie
// anywhere: what a window decides does not depend on where it ends.
#pragma once

#include "matcher/compiled_program.h"
#include "matcher/scratch_state.h"

namespace sluice::matcher {

/// A message's program as far as it applies.
struct ActiveRules {
  const MaskProgram::Compiled& program;
  const RuleSet& active;
  BuiltinSet builtins = 0;       ///< Of the active rules.
  bool has_expressions = false;  ///< Among the active rules.
  bool has_paths = false;        ///< Among the active rules.
};

ActiveRules active_rules(const MaskProgram& program, const RuleSet& active) noexcept;

/// Which of the active built-ins may match in the window, by its triggers.
BuiltinSet triggered(const ActiveRules& rules, const Window& window) noexcept;

/// Where in `text`, which has a readable tail, the first match of an expression
/// ends, or its size.
std::size_t first_expression_end(const ActiveRules& rules, ByteView text,
                                 Scratch::State& state) noexcept;

/// Finds what begins before window.horizon(), merged into state.clusters. Returns
/// the classes over which a match that reached the window's end runs on.
/// builtins  those that may match: of the others no look is taken.
std::uint8_t find_clusters(const ActiveRules& rules, const ValueState& value, const Window& window,
                           BuiltinSet builtins, Scratch::State& state) noexcept;

/// How `cluster` is shown: its rule's way if that rule's matches are all of it.
Show show_of(const ActiveRules& rules, const Cluster& cluster) noexcept;

/// Where a window's bytes come from in the step's input.
struct WindowSource {
  ByteSpan in;                             ///< All of the step's input.
  std::size_t at = 0;                      ///< Where window.bytes[undecided] comes from.
  const std::uint32_t* offsets = nullptr;  ///< From `at`, by decoded byte; null: one to one.
  Encoding encoding = Encoding::raw;

  /// Place in `in` of the byte at window index `index`.
  [[nodiscard]] std::size_t place_of(const Window& window, std::size_t index) const noexcept {
    const std::size_t nth = index - window.undecided;
    return at + (offsets == nullptr ? nth : offsets[nth]);
  }
};

struct WindowResult {
  std::size_t decided = 0;  ///< Window index up to which all is decided.
  bool is_full = false;     ///< The edit list had no room for what comes there.
};

/// Masks the window: in place where lengths agree, else into state.edits.
WindowResult mask_window(const ActiveRules& rules, ValueState& value, const Window& window,
                         const WindowSource& source, BuiltinSet builtins,
                         std::span<std::uint32_t> counts, Scratch::State& state) noexcept;

}  // namespace sluice::matcher
