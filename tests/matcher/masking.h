// Runs a BodyMasker the way a session does, with the input cut as a test wants.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "matcher/body_masker.h"

namespace sluice::testing {

struct Masked {
  bool is_malformed = false;
  std::string output;
  std::vector<std::uint32_t> counts;
  std::size_t withheld_max = 0;

  bool operator==(const Masked&) const = default;
};

/// Size of the next piece, at least 1, given how many bytes are left.
using Cut = std::function<std::size_t(std::size_t left)>;

Cut whole();
Cut pieces_of(std::size_t size);
Cut in_two(std::size_t first);
/// Pieces of 1 to `most` bytes, drawn from `seed`.
Cut random_pieces(std::uint64_t seed, std::size_t most);

struct Setup {
  std::vector<matcher::MaskRule> rules;
  matcher::RuleSet active;
  std::string key;
  std::shared_ptr<const matcher::MaskProgram> program;
  std::vector<matcher::Scratch> scratches;  ///< One for each of usable_isas().

  explicit Setup(std::vector<matcher::MaskRule> with_rules);
};

/// With all instructions that this machine has, which must agree.
Masked mask_in_pieces(Setup& setup, matcher::BodyKind kind, std::string_view body, const Cut& cut);

matcher::MaskRule builtin_rule(std::string_view builtin, matcher::Show show = {});
matcher::MaskRule rule(std::string name, matcher::Finder::Kind kind, std::string text,
                       matcher::Show show = {});
/// All built-ins, in the order of builtin_names(), shown in different ways.
std::vector<matcher::MaskRule> all_builtins();

inline constexpr matcher::Show redact{matcher::Show::Kind::redact, 0, 0};
inline constexpr matcher::Show hash{matcher::Show::Kind::hash, 0, 0};
constexpr matcher::Show partial(std::uint8_t first, std::uint8_t last) {
  return {matcher::Show::Kind::partial, first, last};
}

}  // namespace sluice::testing
