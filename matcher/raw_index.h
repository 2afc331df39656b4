// A first look at raw JSON, 64 bytes at a time: where strings may end, and where
// a built-in finder may have something to verify. What it does not report needs
// no look at all; what it reports is verified exactly.
#pragma once

#include <array>
#include <cstdint>

#include "matcher/builtin_finders.h"

namespace sluice::matcher {

/// Positions of bytes by class, one bit a byte, of up to 64 bytes.
struct ByteMasks {
  std::uint64_t quote = 0;
  std::uint64_t odd = 0;  ///< Backslash, control characters, anything not ASCII.
  std::uint64_t digit = 0;
  std::uint64_t letter = 0;
  std::uint64_t space = 0;
  std::uint64_t hyphen = 0;
  std::uint64_t dot = 0;
  std::uint64_t slash = 0;
  std::uint64_t opening = 0;  ///< '+' or '(': what a telephone number may begin with.
  std::uint64_t at_sign = 0;
  std::uint64_t colon = 0;
  std::uint64_t any_e = 0;  ///< In upper or lower case, as the next.
  std::uint64_t any_r = 0;
  std::uint64_t lower_y = 0;
  std::uint64_t upper_j = 0;
  std::uint64_t upper_a = 0;
  std::uint64_t upper_i = 0;

  bool operator==(const ByteMasks&) const = default;
};

/// The same answer twice: in vectors, and byte by byte for tests to compare.
ByteMasks classify(const std::uint8_t* bytes) noexcept;
ByteMasks classify_scalar(const std::uint8_t* bytes) noexcept;

/// A string that stands for itself byte by byte.
struct PlainString {
  std::size_t size = 0;
  BuiltinSet may_match = 0;
};

class RawIndex {
 public:
  /// Forgets the text that was indexed.
  void clear() noexcept { text_ = {}; }

  /// Reads the string whose first byte, behind the quote, is text[at]. False when
  /// it has an escape or anything odd, or does not end within reach.
  bool plain_string_at(ByteView text, std::size_t at, PlainString& found) noexcept {
    if (!covers(text, at)) build(text, at);
    if (find_plain(at - base_, found)) return true;
    // It may only have run out of the index: look once more, from its start on.
    const bool ran_out = found.size != 0 && at > base_ && base_ + indexed_ < text.size();
    if (!ran_out) return false;
    build(text, at);
    return find_plain(0, found);
  }
  /// Whether anything in text[at, at + size) may match, for tokens in sight.
  BuiltinSet may_match(ByteView text, std::size_t at, std::size_t size) noexcept;

 private:
  static constexpr std::size_t words = (window_bytes_max + 63) / 64;
  static constexpr std::size_t bytes_max = words * 64;

  [[nodiscard]] bool covers(ByteView text, std::size_t at) const noexcept {
    return text.data() == text_.data() && text.size() == text_.size() && at >= base_ &&
           at < base_ + indexed_;
  }
  void build(ByteView text, std::size_t at) noexcept;
  void build_triggers(std::size_t count) noexcept;
  bool find_plain(std::size_t from, PlainString& found) const noexcept;
  [[nodiscard]] BuiltinSet triggers_in(std::size_t from, std::size_t end) const noexcept;

  ByteView text_;
  std::size_t base_ = 0;     ///< Of the index in text_.
  std::size_t indexed_ = 0;  ///< Bytes.
  std::array<ByteMasks, words + 1> masks_;
  std::array<std::uint64_t, words> stops_;
  std::array<std::uint64_t, words> triggers_;
  std::array<std::array<std::uint64_t, builtin_names_table.size()>, words> by_builtin_;
};

}  // namespace sluice::matcher
