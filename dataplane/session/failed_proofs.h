// How often one source may fail to prove who it is. One per worker.
#pragma once

#include <optional>
#include <string_view>

#include "base/fingerprint.h"
#include "base/instant.h"
#include "config/model/policy.h"
#include "dataplane/session/rate_limiter.h"

namespace sluice::dataplane {

/// Whoever failed too often is refused unseen, a good credential too: else guessing would go on,
/// and only answers be fewer. What is known to be good already is no guess, and not asked about.
class FailedProofs {
 public:
  explicit FailedProofs(const FingerprintKey& key) noexcept : rates_(key) {}

  /// Whether a credential of this source may be looked at.
  /// rate    nothing: there is no limit.
  /// source  of source_of().
  [[nodiscard]] bool may_try(const std::optional<config::RateRule>& rate, std::string_view source,
                             Instant now) {
    if (!rate) return true;
    const RateLimiter::Caller caller{.issuer = {}, .subject = source};
    return rates_.ask({&*rate, 1}, 1, caller, 1, now).exceeded == nullptr;
  }
  /// One of this source proved nobody.
  void note(const std::optional<config::RateRule>& rate, std::string_view source, Instant now) {
    if (!rate) return;
    const RateLimiter::Caller caller{.issuer = {}, .subject = source};
    rates_.take({&*rate, 1}, 1, caller, 1, now);
  }

 private:
  RateLimiter rates_;
};

}  // namespace sluice::dataplane
