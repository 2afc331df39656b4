#include "matcher/json_block.h"

namespace sluice::matcher {

JsonBytes json_bytes(const std::uint8_t* block) noexcept {
  const TriggerLanes lanes(block, ahead_classes);
  JsonBytes found = json_bytes(lanes);
  found.is_odd = !odd_json_lanes(lanes).is_zero();
  return found;
}

JsonBytes json_bytes_scalar(const std::uint8_t* block) noexcept {
  JsonBytes found;
  const auto is_odd = [](std::uint8_t byte) { return byte < 0x20 || byte >= 0x80; };
  for (unsigned i = 0; i < block_bytes; ++i) {
    const std::uint8_t byte = block[i];
    const auto put = [i](std::uint64_t& mask, bool is_set) { mask |= std::uint64_t{is_set} << i; };
    put(found.quote, byte == '"');
    const auto folded = static_cast<std::uint8_t>(byte | 0x20);
    put(found.blank_or_mark,
        folded == ' ' || folded == '{' || folded == '}' || folded == ',' || folded == ':');
    found.is_odd = found.is_odd || byte == '\\' || is_odd(byte);
  }
  found.is_odd = found.is_odd || is_odd(block[block_bytes]) || is_odd(block[block_bytes + 1]);
  return found;
}

OddJsonBytes odd_json_bytes(const std::uint8_t* block) noexcept {
  OddJsonBytes found;
  found.any = ask_block(block, [](const std::uint8_t* half) {
    const Lanes bytes = Lanes::load(half);
    return bytes.is_beyond_print() | bytes.is('\\');
  });
  found.line_space = ask_block(block, [](const std::uint8_t* half) {
    const Lanes bytes = Lanes::load(half);
    return bytes.is('\t') | bytes.is('\n') | bytes.is('\r');
  });
  return found;
}

OddJsonBytes odd_json_bytes_scalar(const std::uint8_t* block) noexcept {
  OddJsonBytes found;
  for (unsigned i = 0; i < block_bytes; ++i) {
    const std::uint8_t byte = block[i];
    const bool is_odd = byte == '\\' || byte < 0x20 || byte >= 0x80;
    const bool is_line_space = byte == '\t' || byte == '\n' || byte == '\r';
    found.any |= std::uint64_t{is_odd} << i;
    found.line_space |= std::uint64_t{is_line_space} << i;
  }
  return found;
}

std::optional<std::size_t> plain_string_size(ByteView text) noexcept {
  for (std::size_t at = 0; at < text.size(); at += block_bytes) {
    const std::uint8_t* const block = text.data() + at;
    const std::uint64_t stops = ask_block(block, [](const std::uint8_t* half) {
      const Lanes bytes = Lanes::load(half);
      return bytes.is_beyond_print() | bytes.is('"') | bytes.is('\\');
    });
    if (stops == 0) continue;
    const std::size_t end = at + static_cast<std::size_t>(std::countr_zero(stops));
    if (end >= text.size() || text[end] != '"') return std::nullopt;
    return end;
  }
  return std::nullopt;
}

}  // namespace sluice::matcher
