#include "control/shown_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "audit/utf8.h"

namespace sluice::control {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};
/// C0, DEL and C1; soft hyphen; without width and of direction; line and paragraph ends;
/// invisible operators; byte order mark; tags.
constexpr std::array<Range, 9> unshown{{{0x00, 0x1F},
                                        {0x7F, 0x9F},
                                        {0xAD, 0xAD},
                                        {0x061C, 0x061C},
                                        {0x200B, 0x200F},
                                        {0x2028, 0x202E},
                                        {0x2060, 0x206F},
                                        {0xFEFF, 0xFEFF},
                                        {0xE0000, 0xE007F}}};

bool is_shown(char32_t character) {
  return std::ranges::none_of(unshown, [character](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

/// How many bytes the character has whose first byte this is, in well-formed UTF-8.
std::size_t size_of(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

char32_t character_of(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  char32_t character = bytes.size() == 1 ? first : first & (0x7FU >> bytes.size());
  for (const char next : bytes.substr(1)) {
    character = character << 6 | (static_cast<unsigned char>(next) & 0x3FU);
  }
  return character;
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string out;
  const bool is_utf8 = audit::is_utf8(text);
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = is_utf8 ? size_of(first) : 1;
    const std::string_view bytes = text.substr(0, size);
    const char32_t character = is_utf8 ? character_of(bytes) : first;
    if (is_shown(character) && (is_utf8 || first < 0x80)) {
      out += bytes;
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{{{:x}}}", static_cast<unsigned>(character));
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace sluice::control
