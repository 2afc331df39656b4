// Slow proofs remembered: who proved a chosen secret need not do so per request.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/instant.h"
#include "identity/api_keys.h"
#include "identity/secret_hash.h"

namespace sluice::dataplane {

/// One per worker. Holds digests, never secrets. Only proofs that held are kept,
/// each for one table of keys and a bounded time.
class ProofCache {
 public:
  static constexpr std::size_t proofs_max = 4096;
  static constexpr Duration lifetime = seconds(300);

  /// The verdict as it was, unless the table changed, time ran out or the key expired.
  [[nodiscard]] std::optional<identity::KeyVerdict> find(const identity::ApiKeys* keys,
                                                         std::string_view credential,
                                                         const Now& now) const {
    if (keys != keys_) return std::nullopt;
    const auto digest = identity::sha256(credential);
    if (!digest) return std::nullopt;
    const auto proof = proofs_.find(*digest);
    if (proof == proofs_.end() || now.monotonic > proof->second.until) return std::nullopt;
    if (proof->second.verdict.principal->expires <= now.wall) return std::nullopt;
    return proof->second.verdict;
  }

  void remember(const identity::ApiKeys* keys, std::string_view credential,
                const identity::KeyVerdict& verdict, const Now& now) {
    if (verdict.fault != identity::KeyFault::none) return;
    if (keys != keys_ || proofs_.size() >= proofs_max) proofs_.clear();
    keys_ = keys;
    if (const auto digest = identity::sha256(credential)) {
      proofs_.insert_or_assign(*digest, Proof{verdict, now.monotonic + lifetime});
    }
  }

  /// The table is about to go: its address may come back with other keys.
  void forget(const identity::ApiKeys* keys) {
    if (keys != keys_) return;
    proofs_.clear();
    keys_ = nullptr;
  }

 private:
  struct Proof {
    identity::KeyVerdict verdict;
    Instant until;
  };
  /// The digests are uniform already.
  struct FirstBytes {
    std::size_t operator()(const identity::Digest& digest) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, digest.data(), sizeof hash);
      return hash;
    }
  };

  const identity::ApiKeys* keys_ = nullptr;
  std::unordered_map<identity::Digest, Proof, FirstBytes> proofs_;
};

}  // namespace sluice::dataplane
