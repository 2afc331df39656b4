// What to find and how to show it: the matcher's input, compiled by MaskProgram.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::matcher {

inline constexpr std::size_t rules_max = 128;
/// A set of mask rules by index; which of a program's rules apply to a message.
using RuleSet = std::bitset<rules_max>;

/// What a rule finds. A rule has one or more finders; any of them is a match.
struct Finder {
  enum class Kind : std::uint8_t {
    builtin,     ///< `text` is one of builtin_names().
    regex,       ///< `text` is a Hyperscan expression; matches inside one value.
    json_path,   ///< `text` such as "$.card.number", "$..cvv", "$.items[*].pan".
    form_field,  ///< `text` is a decoded field name.
    header,      ///< `text` is a header field name, any case; the whole value.
    told,        ///< Whole values that the caller says are this rule's: mask_whole().
  };
  Kind kind = Kind::builtin;
  std::string text;
};

struct Show {
  enum class Kind : std::uint8_t {
    redact,   ///< The fixed text "[redacted]".
    partial,  ///< Keep `first` and `last` letters or digits, '*' for the others; same length.
    hash,     ///< "h:" and 16 hex digits of HMAC-SHA-256 under the configured key.
  };
  Kind kind = Kind::redact;
  std::uint8_t first = 0;
  std::uint8_t last = 0;
};

struct MaskRule {
  std::string name;
  std::vector<Finder> finders;
  Show show;
};

}  // namespace sluice::matcher
