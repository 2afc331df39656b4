#include "dataplane/replay_filter.h"

#include <atomic>

#include "base/assert.h"

namespace sluice::dataplane {
namespace {

// An entry is a fingerprint's upper bits above the second that it is kept through. Fingerprints
// are odd: 0 is no entry.
constexpr unsigned second_bits = 20;
constexpr std::uint64_t second_mask = (std::uint64_t{1} << second_bits) - 1;
constexpr std::int64_t ns_per_second = 1'000'000'000;

/// Seconds go round every twelve days, and what is kept is kept for minutes: what nobody wrote over
/// in twelve days is live for these minutes once more, and then only refuses.
bool is_live(std::uint64_t entry, std::uint64_t now) noexcept {
  constexpr std::uint64_t kept = ReplayFilter::kept_max.ns / ns_per_second;
  return entry != 0 && ((entry - now) & second_mask) <= kept;
}

bool is_same(std::uint64_t entry, std::uint64_t other) noexcept {
  return (entry ^ other) >> second_bits == 0;
}

}  // namespace

ReplayFilter::ReplayFilter(const FingerprintKey& key, WallTime since)
    : key_(key),
      since_(since),
      table_(static_cast<std::uint64_t*>(std::calloc(entries, sizeof(std::uint64_t)))) {
  ASSERT(table_ != nullptr);
}

std::uint64_t ReplayFilter::second_of(WallTime time) const noexcept {
  // Before it began nothing is kept, so that a clock that was set back keeps no less.
  const std::int64_t since = time > since_ ? (time - since_).ns / ns_per_second : 0;
  return static_cast<std::uint64_t>(since) & second_mask;
}

ReplayFilter::Verdict ReplayFilter::show(std::string_view name, WallTime made, WallTime until,
                                         WallTime now) noexcept {
  if (made < since_) return Verdict::seen;
  const Fingerprint print = key_.of(name);
  const std::span<std::uint64_t> bucket(table_.get() + print[0] % buckets * bucket_entries,
                                        bucket_entries);
  const std::uint64_t second = second_of(now);
  const std::uint64_t own = (print[1] | 1U) << second_bits | second_of(until + seconds(1));
  const auto is_live_twin = [second, own](std::uint64_t entry) {
    return is_live(entry, second) && is_same(entry, own);
  };
  for (;;) {
    std::uint64_t* room = nullptr;
    std::uint64_t before = 0;
    for (std::uint64_t& slot : bucket) {
      const std::uint64_t entry = std::atomic_ref(slot).load();
      if (is_live_twin(entry)) return Verdict::seen;
      if (room != nullptr || is_live(entry, second)) continue;
      room = &slot;
      before = entry;
    }
    if (room == nullptr) return Verdict::full;
    if (std::atomic_ref(*room).compare_exchange_strong(before, own)) break;
    // Another worker was faster there: perhaps with this very proof.
  }
  // Workers whose clocks differ may have found different room for one proof: then none counts.
  int twins = 0;
  for (std::uint64_t& slot : bucket) {
    if (is_live_twin(std::atomic_ref(slot).load())) ++twins;
  }
  return twins == 1 ? Verdict::fresh : Verdict::seen;
}

}  // namespace sluice::dataplane
