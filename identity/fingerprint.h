// Recognises a credential seen before, for a fraction of what SHA-256 costs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::identity {

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
  std::uint64_t low_;
  std::uint64_t high_;
};

}  // namespace sluice::identity
