// A keyed hash of short texts: recognises one seen before, for a fraction of
// what SHA-256 costs.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

using Fingerprint = std::array<std::uint64_t, 2>;

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast
/// short-input PRF"). Under a key that nobody else knows, a text with a given
/// fingerprint can only be guessed.
class FingerprintKey {
 public:
  constexpr FingerprintKey(std::uint64_t low, std::uint64_t high) noexcept
      : low_(low), high_(high) {}
  /// Asserts that the kernel gives randomness.
  static FingerprintKey random() noexcept;

  [[nodiscard]] Fingerprint of(std::string_view text) const noexcept;

 private:
  friend class FingerprintStream;
  std::uint64_t low_;
  std::uint64_t high_;
};

/// The fingerprint of a text that comes in pieces: the pieces' borders leave no trace.
class FingerprintStream {
 public:
  explicit constexpr FingerprintStream(const FingerprintKey& key) noexcept
      : v0_(key.low_ ^ 0x736F6D6570736575),
        v1_(key.high_ ^ 0x646F72616E646F6D ^ 0xEE),
        v2_(key.low_ ^ 0x6C7967656E657261),
        v3_(key.high_ ^ 0x7465646279746573) {}

  void append(std::string_view text) noexcept;
  /// The fingerprint of all that was appended. Ends the stream.
  [[nodiscard]] Fingerprint finish() noexcept;

 private:
  static_assert(std::endian::native == std::endian::little);

  void round() noexcept {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }
  void absorb(std::uint64_t word) noexcept {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }
  std::uint64_t squeeze() noexcept {
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }
  /// The first bytes of `text`, a word's at most, in the low bytes of one.
  static std::uint64_t short_word(std::string_view text) noexcept {
    std::uint64_t word = 0;
    const std::size_t size = std::min(text.size(), sizeof word);
    if (size != 0) std::memcpy(&word, text.data(), size);
    return word;
  }

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t pending_ = 0;         ///< The bytes of a word that is not yet whole.
  std::size_t pending_bytes_ = 0;     ///< Below eight.
  std::uint64_t absorbed_bytes_ = 0;  ///< Only its low byte counts.
};

inline void FingerprintStream::append(std::string_view text) noexcept {
  absorbed_bytes_ += text.size();
  if (pending_bytes_ != 0) {
    const std::size_t missing = sizeof pending_ - pending_bytes_;
    const std::uint64_t next = short_word(text.substr(0, missing));
    pending_ |= next << (8 * pending_bytes_);
    if (text.size() < missing) {
      pending_bytes_ += text.size();
      return;
    }
    absorb(pending_);
    text.remove_prefix(missing);
  }
  while (text.size() >= sizeof pending_) {
    std::memcpy(&pending_, text.data(), sizeof pending_);
    absorb(pending_);
    text.remove_prefix(sizeof pending_);
  }
  pending_ = short_word(text);
  pending_bytes_ = text.size();
}

inline Fingerprint FingerprintStream::finish() noexcept {
  absorb(absorbed_bytes_ << 56 | pending_);
  Fingerprint print;
  v2_ ^= 0xEE;
  print[0] = squeeze();
  v1_ ^= 0xDD;
  print[1] = squeeze();
  return print;
}

}  // namespace sluice
