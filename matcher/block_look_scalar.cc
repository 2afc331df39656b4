#include <string_view>

#include "matcher/block_look.h"
#include "matcher/triggers.h"

namespace sluice::matcher {

std::size_t look_at_blocks_scalar(const std::uint8_t* bytes, std::size_t count,
                                  const ByteClasses& ahead, BlockBits* found) noexcept {
  for (std::size_t block = 0; block < count; ++block) {
    BlockBits bits{};
    for (unsigned i = 0; i < block_bytes; ++i) {
      const std::uint8_t byte = bytes[block * block_bytes + i];
      const std::uint8_t two_on = bytes[block * block_bytes + i + 2];
      if ((trigger_classes.of_one(byte) & ahead.of_one(two_on)) != 0) return block;
      const auto is_one_of = [byte](std::string_view set) {
        return set.find(static_cast<char>(byte)) != std::string_view::npos;
      };
      const auto put = [i](std::uint64_t& mask, bool is_set) {
        mask |= std::uint64_t{is_set} << i;
      };
      const bool is_blank = is_one_of(" \t\n\r");
      put(bits.digit, is_digit(byte));
      put(bits.letterish, (byte & 0x40) != 0);
      put(bits.joint, is_one_of(" -./{}"));
      put(bits.second, (byte & 2) != 0);
      put(bits.quote, byte == '"');
      put(bits.mark, is_one_of("{}[],:"));
      put(bits.blank, is_blank);
      put(bits.odd, (byte < 0x20 && !is_blank) || byte >= 0x80 || byte == '\\');
    }
    found[block] = bits;
  }
  return count;
}

}  // namespace sluice::matcher
