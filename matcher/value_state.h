// What is remembered of a message between two calls: of the value being read,
// and of the place in a JSON text. Plain values of bounded size.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>

#include "matcher/limits.h"
#include "matcher/mask_rule.h"

namespace sluice::matcher {

/// A match may run on past what has been read; how it goes on is known by class.
namespace run {
inline constexpr std::uint8_t none = 0;
inline constexpr std::uint8_t jwt = 1;      ///< Over base64url characters and dots.
inline constexpr std::uint8_t token68 = 2;  ///< Over RFC 9110 token68 characters.
inline constexpr std::uint8_t whole = 4;    ///< To the end of the value.
}  // namespace run

inline constexpr std::uint8_t no_rule = 255;
static_assert(rules_max <= no_rule);

/// The value that is being read: a JSON string, a form field, a text body.
struct ValueState {
  std::array<std::uint8_t, lookbehind_bytes> lookbehind;  ///< Decoded and decided, newest last.
  std::uint16_t lookbehind_size = 0;
  bool lookbehind_is_all = true;      ///< It reaches back to the value's start.
  std::uint8_t whole_rule = no_rule;  ///< Rule that masks the whole value.
  bool is_swallowing = false;         ///< Inside a match already shown as redacted …
  std::uint8_t swallow_rule = no_rule;
  std::uint8_t swallow_runs = run::none;
  std::uint32_t swallow_ahead = 0;                    ///< … which covers so many bytes to come.
  std::array<std::uint8_t, name_bytes_max + 1> name;  ///< Start of a name cut by a read.
  std::uint16_t name_size = 0;

  void begin(std::uint8_t rule_of_whole) noexcept {
    lookbehind_size = 0;
    lookbehind_is_all = true;
    whole_rule = rule_of_whole;
    is_swallowing = false;
    name_size = 0;
  }
};

/// Nodes of the path tree that an open array or object stands for.
inline constexpr std::size_t path_nodes_max = 128;
using PathNodes = std::bitset<path_nodes_max>;

/// What a JSON text may continue with.
enum class JsonExpects : std::uint8_t {
  value,           ///< After ':' or after ',' in an array; at the top level.
  value_or_close,  ///< After '['.
  key_or_close,    ///< After '{'.
  key,             ///< After ',' in an object.
  colon,
  comma_or_close,
};

/// Which of the arrays and objects that are open are objects: the innermost first.
class OpenBrackets {
 public:
  /// Of the innermost, if any is open: one for an object, zero for an array.
  [[nodiscard]] std::uint64_t is_object() const noexcept { return inner_ & 1; }
  void push(std::uint64_t is_object) noexcept {
    outer_ = outer_ << 1 | inner_ >> 63;
    inner_ = inner_ << 1 | is_object;
  }
  void pop() noexcept {
    inner_ = inner_ >> 1 | outer_ << 63;
    outer_ >>= 1;
  }

 private:
  static_assert(json_depth_max <= 128);
  std::uint64_t inner_ = 0;
  std::uint64_t outer_ = 0;
};

struct JsonState {
  JsonExpects expects = JsonExpects::value;
  bool in_string = false;
  bool string_is_key = false;
  std::uint8_t depth = 0;
  std::uint8_t hidden_depth = 0;     ///< Depth of the masked subtree we are in; 0 for none.
  std::uint8_t next_rule = no_rule;  ///< Rule that masks the value to come.
  PathNodes next_nodes;              ///< Nodes that the value to come stands for.
  OpenBrackets open;
  std::array<PathNodes, json_depth_max + 1> nodes;
  std::array<std::uint32_t, json_depth_max + 1> index;  ///< Of the next element.
};

struct FormState {
  bool in_value = false;  ///< Behind a field's first '='.
};

}  // namespace sluice::matcher
