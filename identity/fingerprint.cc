#include "identity/fingerprint.h"

#include <sys/random.h>

#include <bit>
#include <cstring>

#include "base/assert.h"

namespace sluice::identity {
namespace {

static_assert(std::endian::native == std::endian::little);

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() noexcept {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  std::uint64_t squeeze() noexcept {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

FingerprintKey FingerprintKey::random() noexcept {
  std::array<std::uint64_t, 2> key{};
  ASSERT(::getrandom(key.data(), sizeof key, 0) == static_cast<ssize_t>(sizeof key));
  return {key[0], key[1]};
}

Fingerprint FingerprintKey::of(std::string_view text) const noexcept {
  State state{low_ ^ 0x736F6D6570736575, high_ ^ 0x646F72616E646F6D ^ 0xEE,
              low_ ^ 0x6C7967656E657261, high_ ^ 0x7465646279746573};
  std::uint64_t word = 0;
  const std::uint64_t last = std::uint64_t{text.size()} << 56;
  while (text.size() >= sizeof word) {
    std::memcpy(&word, text.data(), sizeof word);
    state.absorb(word);
    text.remove_prefix(sizeof word);
  }
  word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  state.absorb(last | word);

  Fingerprint print;
  state.v2 ^= 0xEE;
  print[0] = state.squeeze();
  state.v1 ^= 0xDD;
  print[1] = state.squeeze();
  return print;
}

}  // namespace sluice::identity
