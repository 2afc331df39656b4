// Patterns in which '*' stands for any run of characters.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::config {

/// Whether `pattern` is all of `text`. At most their sizes' product of comparisons.
/// same  whether a character of the pattern stands for one of the text.
template <class Same>
bool matches_stars(std::string_view pattern, std::string_view text, Same same) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // The last one that was passed,
  std::size_t taken_to = 0;                   // and the end of what it stands for.
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken_to = t;
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken_to;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace sluice::config
