#include "audit/bech32.h"

#include <vector>

namespace sluice::audit {
namespace {

constexpr std::string_view alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t checksum_size = 6;
constexpr unsigned group_bits = 5;

/// BIP 173, "Checksum": a BCH code over groups of five bits.
std::uint32_t polymod(const std::vector<std::uint8_t>& groups) noexcept {
  constexpr std::array<std::uint32_t, 5> generator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                   0x2a1462b3};
  std::uint32_t check = 1;
  for (const std::uint8_t group : groups) {
    const std::uint32_t top = check >> 25U;
    check = (check & 0x1ffffffU) << group_bits ^ group;
    for (unsigned i = 0; i < generator.size(); ++i) {
      if ((top >> i & 1U) != 0) check ^= generator[i];
    }
  }
  return check;
}

/// The prefix as the checksum covers it: high bits, a zero, low bits.
std::vector<std::uint8_t> expanded(std::string_view prefix) {
  std::vector<std::uint8_t> out;
  for (const char c : prefix) {
    out.push_back(static_cast<std::uint8_t>(static_cast<unsigned char>(c) >> group_bits));
  }
  out.push_back(0);
  for (const char c : prefix) {
    out.push_back(static_cast<std::uint8_t>(static_cast<unsigned char>(c) & 0x1fU));
  }
  return out;
}

}  // namespace

std::optional<Bech32Key> parse_bech32_key(std::string_view prefix, std::string_view text) {
  const bool is_of_form = text.size() == prefix.size() + 1 + bech32_key_characters &&
                          text.starts_with(prefix) && text[prefix.size()] == '1';
  if (!is_of_form) return std::nullopt;
  std::vector<std::uint8_t> groups = expanded(prefix);
  const std::size_t head = groups.size();
  for (const char c : text.substr(prefix.size() + 1)) {
    const std::size_t value = alphabet.find(c);
    if (value == alphabet.npos) return std::nullopt;
    groups.push_back(static_cast<std::uint8_t>(value));
  }
  Bech32Key out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (std::size_t i = head; i < groups.size() - checksum_size; ++i) {
    bits = bits << group_bits | groups[i];
    held += group_bits;
    if (held < 8) continue;
    held -= 8;
    out.bytes[written++] = static_cast<std::uint8_t>(bits >> held);
    bits &= (1U << held) - 1;
  }
  // 52 groups are 260 bits: the last four are padding, and zero.
  out.is_whole = bits == 0 && polymod(groups) == 1;
  return out;
}

}  // namespace sluice::audit
