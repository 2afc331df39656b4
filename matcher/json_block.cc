#include "matcher/json_block.h"

namespace sluice::matcher {

JsonBytes json_bytes_scalar(const std::uint8_t* block) noexcept {
  JsonBytes found;
  for (unsigned i = 0; i < block_bytes; ++i) {
    const std::uint8_t byte = block[i];
    const std::uint64_t bit = std::uint64_t{1} << i;
    const auto put = [&](std::uint64_t& mask, bool is_set) { mask |= is_set ? bit : 0; };
    put(found.quote, byte == '"');
    put(found.odd, byte == '\\' || byte < 0x20 || byte >= 0x80);
    put(found.open, byte == '{' || byte == '[');
    put(found.close, byte == '}' || byte == ']');
    put(found.brace, (byte & 0x20) != 0);
    put(found.comma, byte == ',');
    put(found.colon, byte == ':');
    put(found.space, byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r');
  }
  return found;
}

std::optional<std::size_t> plain_string_size(ByteView text) noexcept {
  for (std::size_t at = 0; at < text.size(); at += block_bytes) {
    const std::uint8_t* const block = text.data() + at;
    const std::uint64_t stops = ask_block(block, [](const std::uint8_t* half) {
      const Lanes bytes = Lanes::load(half);
      return bytes | bytes.is('"') | bytes.is('\\') | bytes.is_between(0, 0x1F);
    });
    if (stops == 0) continue;
    const std::size_t end = at + static_cast<std::size_t>(std::countr_zero(stops));
    if (end >= text.size() || text[end] != '"') return std::nullopt;
    return end;
  }
  return std::nullopt;
}

}  // namespace sluice::matcher
