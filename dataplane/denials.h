// Which rules deny on which targets, and how often, as one worker counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/tally.h"

namespace sluice::dataplane {

/// One thread counts, any thread looks, and neither waits: a pair that was seen once stays where
/// it is, in a list that only grows.
class Denials {
 public:
  /// Pairs of a target and a rule that are told apart; what comes later counts as of the rule
  /// `other`. A configuration has few rules that deny on many targets.
  static constexpr std::size_t pairs_max = 4'096;
  static constexpr std::string_view other = "(other)";

  using Counts = std::map<std::pair<std::string, std::string>, std::uint64_t>;

  Denials() = default;
  Denials(const Denials&) = delete;
  Denials& operator=(const Denials&) = delete;

  /// The worker's thread. Allocates when it counts the pair for the first time.
  void add(std::string_view target, std::string_view rule);

  /// Adds what was counted, by target and rule. Any thread.
  void add_to(Counts& sum) const;

 private:
  struct Pair {
    std::string target;
    std::string rule;
    const Pair* before = nullptr;  ///< The one that was seen before it.
    Tally count;
  };
  using Names = std::pair<std::string_view, std::string_view>;

  Pair& pair_of(Names names);

  // The worker's thread alone.
  std::deque<Pair> pairs_;
  std::map<Names, Pair*> by_names_;  ///< Views into `pairs_`.

  std::atomic<const Pair*> last_{nullptr};  ///< Published when it is whole.
};

}  // namespace sluice::dataplane
