// Which rules deny on which targets, and how often, as one worker counted.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::dataplane {

/// The lock is taken by denials and by looks at them, and nobody holds it for long: who is
/// allowed never meets it.
class Denials {
 public:
  /// Pairs of a target and a rule that are told apart; what comes later counts as of the rule
  /// `other`. A configuration has few rules that deny on many targets.
  static constexpr std::size_t pairs_max = 4'096;
  static constexpr std::string_view other = "(other)";

  using Counts = std::map<std::pair<std::string, std::string>, std::uint64_t>;

  /// Allocates when it counts the pair for the first time.
  void add(std::string_view target, std::string_view rule);

  /// Adds what was counted, by target and rule. Any thread.
  void add_to(Counts& sum) const;

 private:
  using View = std::pair<std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const noexcept {
      return View(a.first, a.second) < View(b.first, b.second);
    }
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::uint64_t, Less> counts_;
};

}  // namespace sluice::dataplane
