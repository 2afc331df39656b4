// What a connection's last credential proved: a caller that keeps its connection
// shows the same one with every request.
#pragma once

#include <cstdint>
#include <optional>

#include "base/fingerprint.h"
#include "base/instant.h"
#include "identity/api_keys.h"

namespace sluice::identity {

/// Holds a fingerprint, never the secret, and believes it only for the table of
/// keys that it was proven against. Never a proof for another connection.
class ProvenCredential {
 public:
  /// generation  of the configuration whose keys are asked; not 0.
  [[nodiscard]] std::optional<KeyVerdict> find(const Fingerprint& print, std::uint64_t generation,
                                               WallTime now) const noexcept {
    const bool is_same = ((print[0] ^ print_[0]) | (print[1] ^ print_[1])) == 0;
    if (!is_same || generation != generation_ || verdict_.principal->expires <= now) {
      return std::nullopt;
    }
    return verdict_;
  }

  /// verdict  of ApiKeys::verify, without a fault.
  void remember(const Fingerprint& print, std::uint64_t generation,
                const KeyVerdict& verdict) noexcept {
    print_ = print;
    generation_ = generation;
    verdict_ = verdict;
  }

 private:
  Fingerprint print_{};
  std::uint64_t generation_ = 0;  ///< 0: nothing is remembered.
  KeyVerdict verdict_;
};

}  // namespace sluice::identity
