// What is known of JSON before a block, where it is passed over 64 bytes at a time.
#pragma once

#include "matcher/isa.h"
#include "matcher/token_flow.h"
#include "matcher/triggers.h"
#include "matcher/value_state.h"

namespace sluice::matcher {

/// One each if the block before ended in …
struct Unfinished {
  std::uint64_t in_string = 0;
  std::uint64_t scalar = 0;  ///< A number or literal.
};

struct Skim {
  std::size_t at = 0;     ///< Where in the input the block begins.
  std::size_t limit = 0;  ///< Of the input, as far as it is skimmed.
  std::size_t depth = 0;  ///< The least since: of what is deeper, nodes are not kept.
  std::size_t depth_now = 0;
  TokenBefore before;  ///< The last token, where tokens are looked at in rows …
  TokenFlow flow;      ///< … and where they are looked at where they stand.
  Unfinished unfinished;
  std::size_t masked_to = 0;  ///< What triggers before it has been dealt with.
  std::size_t rows_from = 0;  ///< What lies before it is not passed over in rows.
  NumberScan numbers;

  void go_on_behind(const Unfinished& block) noexcept {
    at += block_bytes;
    unfinished = block;
  }
};

/// Passes over blocks with nothing but plain tokens in their places and nothing that
/// triggers, up to one that is otherwise: of that, nothing is changed. Tokens are checked in
/// rows of several blocks; where they do not agree it stops before all of them and sets
/// skim.rows_from behind them.
/// in     up to skim.limit, with a readable tail.
/// ahead  as TriggerLanes takes it.
/// open   brackets; skim.depth_now of them.
/// skim   at the first block; then at the one that was stopped at. skim.before and
///        masked_to are left alone.
void pass_plain_rows(Isa isa, ByteView in, const ByteClasses& ahead, OpenBrackets& open,
                     Skim& skim) noexcept;

}  // namespace sluice::matcher
