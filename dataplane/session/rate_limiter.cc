#include "dataplane/session/rate_limiter.h"

#include <algorithm>
#include <bit>

namespace sluice::dataplane {

RateLimiter::Answer RateLimiter::take(std::span<const config::RateRule> rates, std::uint64_t which,
                                      const Caller& caller, std::uint64_t count, Instant now) {
  Charges charges;
  const Answer answer = weigh(rates, which, caller, count, now, charges);
  if (answer.exceeded != nullptr) return answer;
  for (const Charge& charge : std::span(charges.all).first(charges.used)) {
    // Found anew: a charge before it may have taken the entry that was free.
    Entry* entry = find(charge.who, now);
    if (entry == nullptr) return {charge.rate, charge.rate->interval};
    *entry = {charge.who, charge.paid_off};
  }
  return {};
}

RateLimiter::Answer RateLimiter::ask(std::span<const config::RateRule> rates, std::uint64_t which,
                                     const Caller& caller, std::uint64_t count, Instant now) {
  Charges charges;
  return weigh(rates, which, caller, count, now, charges);
}

/// What would have to be charged, when nothing is exceeded.
RateLimiter::Answer RateLimiter::weigh(std::span<const config::RateRule> rates, std::uint64_t which,
                                       const Caller& caller, std::uint64_t count, Instant now,
                                       Charges& charges) {
  if (table_.empty()) table_.resize(sets);
  for (std::uint64_t left = which; left != 0; left &= left - 1) {
    const config::RateRule& rate = rates[static_cast<std::size_t>(std::countr_zero(left))];
    // More than may come at once never can: the product below stays small.
    const auto burst = static_cast<std::uint64_t>(rate.tolerance.ns / rate.interval.ns);
    if (count > burst) return {&rate, rate.tolerance};
    const Fingerprint who = print_of(rate, caller);
    const Entry* entry = find(who, now);
    if (entry == nullptr) return {&rate, rate.interval};
    const Instant begins = entry->who == who ? std::max(entry->paid_off, now) : now;
    const Instant paid_off = begins + Duration{rate.interval.ns * static_cast<std::int64_t>(count)};
    const Instant latest = now + rate.tolerance;
    if (paid_off > latest) return {&rate, paid_off - latest};
    charges.all[charges.used++] = {&rate, who, paid_off};
  }
  return {};
}

Fingerprint RateLimiter::print_of(const config::RateRule& rate, const Caller& caller) const {
  // A zero byte ends each: no name holds one.
  constexpr std::string_view end("\0", 1);
  FingerprintStream stream(key_);
  for (const std::string_view part : {std::string_view(rate.rule), caller.issuer, caller.subject}) {
    stream.append(part);
    stream.append(end);
  }
  return stream.finish();
}

/// The entry that is about `who`, or a free one; null when there is neither.
RateLimiter::Entry* RateLimiter::find(const Fingerprint& who, Instant now) noexcept {
  Entry* free = nullptr;
  for (Entry& entry : table_[who[0] % sets]) {
    if (entry.paid_off <= now) {
      free = &entry;
    } else if (entry.who == who) {
      return &entry;
    }
  }
  return free;
}

}  // namespace sluice::dataplane
