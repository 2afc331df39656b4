#include "audit/age_recipient.h"

#include <vector>

namespace sluice::audit {
namespace {

constexpr std::string_view prefix = "age";
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
std::vector<std::uint8_t> expanded_prefix() {
  std::vector<std::uint8_t> out;
  for (const char c : prefix) out.push_back(static_cast<std::uint8_t>(c) >> group_bits);
  out.push_back(0);
  for (const char c : prefix) out.push_back(static_cast<std::uint8_t>(c) & 0x1fU);
  return out;
}

}  // namespace

Result<AgeRecipient> AgeRecipient::parse(std::string_view line) {
  const auto bad = fail("it is no recipient of age, such as age1… with 62 characters");
  constexpr std::size_t size = prefix.size() + 1 + 52 + checksum_size;
  if (line.size() != size || !line.starts_with("age1")) return bad;
  std::vector<std::uint8_t> groups = expanded_prefix();
  const std::size_t head = groups.size();
  for (const char c : line.substr(prefix.size() + 1)) {
    const std::size_t value = alphabet.find(c);
    if (value == alphabet.npos) return bad;
    groups.push_back(static_cast<std::uint8_t>(value));
  }
  if (polymod(groups) != 1) return fail("a character of the recipient is wrong");
  AgeRecipient out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (std::size_t i = head; i < groups.size() - checksum_size; ++i) {
    bits = bits << group_bits | groups[i];
    held += group_bits;
    if (held < 8) continue;
    held -= 8;
    out.key[written++] = static_cast<std::uint8_t>(bits >> held);
    bits &= (1U << held) - 1;
  }
  // 52 groups are 260 bits: the last four are padding, and zero.
  return bits == 0 ? Result<AgeRecipient>(out) : bad;
}

}  // namespace sluice::audit
