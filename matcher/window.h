// A stretch of one decoded value, as finders see it, and where their matches go.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "matcher/byte_class.h"
#include "matcher/encoding.h"
#include "matcher/limits.h"
#include "matcher/value_state.h"

namespace sluice::matcher {

/// bytes[0, undecided) was decided earlier and is there to be looked at only. A
/// window that does not begin at the value's start has lookbehind_bytes of it;
/// one that does not end at the value's end decides matches that begin before
/// horizon() only, and has lookahead_bytes behind that.
struct Window {
  const std::uint8_t* bytes = nullptr;
  std::size_t undecided = 0;
  std::size_t size = 0;
  bool is_from_start = true;
  bool is_to_end = true;

  [[nodiscard]] std::size_t horizon() const noexcept { return horizon_; }
  /// Works out the horizon once the other members are set.
  void set_horizon() noexcept {
    if (is_to_end) {
      horizon_ = size;
    } else if (size <= undecided + lookahead_bytes) {
      horizon_ = undecided;
    } else {
      horizon_ = character_start(size - lookahead_bytes);
    }
  }

  /// Start of the UTF-8 character that the byte at `at` belongs to; `at` itself
  /// when it begins one or belongs to none.
  [[nodiscard]] std::size_t character_start(std::size_t at) const noexcept {
    if (at >= size || (bytes[at] & 0xC0) != 0x80) return at;
    for (std::size_t back = 1; back <= 3 && back <= at; ++back) {
      const int length = utf8_sequence_size({bytes + at - back, size - at + back});
      if (length > static_cast<int>(back)) return at - back;
    }
    return at;
  }
  /// The first place at or after `at` that is not within a character.
  [[nodiscard]] std::size_t character_end(std::size_t at) const noexcept {
    const std::size_t start = character_start(at);
    if (start == at) return at;
    return start + static_cast<std::size_t>(utf8_sequence_size({bytes + start, size - start}));
  }
  [[nodiscard]] bool has_before(std::size_t at, std::uint16_t classes) const noexcept {
    return at > 0 && is_in(bytes[at - 1], classes);
  }
  [[nodiscard]] bool has_at(std::size_t at, std::uint16_t classes) const noexcept {
    return at < size && is_in(bytes[at], classes);
  }
  [[nodiscard]] bool is_at(std::size_t at, char c) const noexcept {
    return at < size && bytes[at] == static_cast<std::uint8_t>(c);
  }
  /// First place of `c` at or after `from`, or size.
  [[nodiscard]] std::size_t find(char c, std::size_t from) const noexcept {
    if (from >= size) return size;
    const void* found = std::memchr(bytes + from, c, size - from);
    return found == nullptr
               ? size
               : static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes);
  }
  /// End of the run of `classes` that begins at `from`.
  [[nodiscard]] std::size_t end_of_run(std::size_t from, std::uint16_t classes) const noexcept {
    while (from < size && is_in(bytes[from], classes)) ++from;
    return from;
  }

 private:
  std::size_t horizon_ = 0;
};

/// Matches of one rule in one window: per start the furthest end, so that memory
/// is bounded whatever the finders report and in whatever order.
class MatchTable {
 public:
  void add(std::size_t start, std::size_t end) noexcept {
    std::uint64_t& word = starts_[start / 64];
    first_word_ = std::min(first_word_, start / 64);
    words_end_ = std::max(words_end_, start / 64 + 1);
    const std::uint64_t bit = std::uint64_t{1} << (start % 64);
    const auto furthest = static_cast<std::uint16_t>(end);
    if ((word & bit) == 0) {
      word |= bit;
      ends_[start] = furthest;
    } else if (ends_[start] < furthest) {
      ends_[start] = furthest;
    }
  }
  /// A match that reached the window's end and goes on over a class of bytes.
  void add_run(std::size_t start, const Window& window, std::size_t end,
               std::uint8_t run_class) noexcept {
    add(start, end);
    if (end == window.size && !window.is_to_end) {
      open_runs_ = static_cast<std::uint8_t>(open_runs_ | run_class);
    }
  }

  [[nodiscard]] bool is_empty() const noexcept { return words_end_ == 0; }
  [[nodiscard]] std::uint8_t open_runs() const noexcept { return open_runs_; }

  /// Calls visit(start, end) for each match by ascending start, and forgets all.
  template <class Visit>
  void drain(Visit&& visit) noexcept {
    for (std::size_t w = first_word_; w < words_end_; ++w) {
      for (std::uint64_t word = starts_[w]; word != 0; word &= word - 1) {
        const std::size_t start = w * 64 + static_cast<std::size_t>(std::countr_zero(word));
        visit(start, static_cast<std::size_t>(ends_[start]));
      }
      starts_[w] = 0;
    }
    first_word_ = words;
    words_end_ = 0;
    open_runs_ = run::none;
  }

 private:
  static constexpr std::size_t words = (window_bytes_max + 63) / 64;
  std::array<std::uint64_t, words> starts_{};
  std::array<std::uint16_t, window_bytes_max> ends_;
  std::size_t first_word_ = words;  ///< All starts lie in words from here …
  std::size_t words_end_ = 0;       ///< … to here.
  std::uint8_t open_runs_ = run::none;
};

static_assert(window_bytes_max <= 65535);

}  // namespace sluice::matcher
