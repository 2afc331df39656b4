#include "dataplane/session/postgres_values.h"

#include <fmt/format.h>

#include <cstdint>

namespace sluice::dataplane {
namespace {

std::uint16_t u16_at(ByteView bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

}  // namespace

/// Digits of base 10,000 and where the point stands (src/backend/utils/adt/numeric.c,
/// numeric_send).
std::string numeric_text(ByteView value) {
  constexpr std::uint16_t negative = 0x4000;
  constexpr int groups_max = 100;  // of zeros that are not sent
  if (value.size() < 8) return {};
  const int digits = u16_at(value, 0);
  const int weight = static_cast<std::int16_t>(u16_at(value, 2));
  const std::size_t scale = u16_at(value, 6) & 0x3FFFU;
  if (value.size() != 8 + 2 * static_cast<std::size_t>(digits)) return {};
  const auto group = [&](int place) {
    const bool is_there = place >= 0 && place < digits;
    return is_there ? u16_at(value, 8 + 2 * static_cast<std::size_t>(place)) : std::uint16_t{0};
  };
  std::string whole;
  for (int i = 0; i <= weight && i < digits + groups_max; ++i) {
    whole += fmt::format("{:04}", group(i));
  }
  const std::size_t first = whole.find_first_not_of('0');
  whole = first == std::string::npos ? "0" : whole.substr(first);
  std::string fraction;
  for (int i = weight + 1; i < digits && fraction.size() < scale; ++i) {
    fraction += fmt::format("{:04}", group(i));
  }
  fraction.resize(scale, '0');
  return fmt::format("{}{}{}{}", u16_at(value, 4) == negative ? "-" : "", whole,
                     fraction.empty() ? "" : ".", fraction);
}

std::string address_text(ByteView value) {
  // Family, bits, is_cidr, count, then the address.
  if (value.size() < 4 || value.size() != 4U + value[3]) return {};
  const ByteView address = value.subspan(4);
  std::string text;
  if (address.size() == 4) {
    return fmt::format("{}.{}.{}.{}", address[0], address[1], address[2], address[3]);
  }
  for (std::size_t i = 0; i + 1 < address.size(); i += 2) {
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", u16_at(address, i));
  }
  return text;
}

}  // namespace sluice::dataplane
