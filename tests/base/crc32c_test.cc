#include "base/crc32c.h"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

namespace sluice {

TEST_CASE("CRC32C gives the known answers of RFC 3720") {
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283U);
  CHECK(crc32c(std::vector<std::uint8_t>(32, 0)) == 0x8a9136aaU);
  CHECK(crc32c(std::vector<std::uint8_t>(32, 0xff)) == 0x62a8ab43U);
}

TEST_CASE("CRC32C of any length is what the bits say, wherever it is cut in two") {
  const auto naive = [](std::uint32_t remainder, ByteView bytes) {
    for (const std::uint8_t byte : bytes) {
      remainder ^= byte;
      for (int bit = 0; bit < 8; ++bit)
        remainder = (remainder >> 1U) ^ ((remainder & 1U) * 0x82f63b78U);
    }
    return remainder;
  };
  std::mt19937 random(3);
  std::vector<std::uint8_t> bytes(4'000);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  std::size_t wrong = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const ByteView all = ByteView(bytes).first(size);
    const std::uint32_t expected = naive(crc32c_start, all);
    wrong += crc32c_add(crc32c_start, all) != expected ? 1U : 0U;
    const std::size_t cut = size == 0 ? 0 : random() % size;
    wrong += crc32c_add(crc32c_add(crc32c_start, all.first(cut)), all.subspan(cut)) != expected
                 ? 1U
                 : 0U;
  }
  CHECK(wrong == 0);
}

}  // namespace sluice
