#include "audit/ring_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "audit/drain.h"

namespace sluice::audit {
namespace {

constexpr std::string_view name_prefix = "ring-";

std::optional<std::uint32_t> worker_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(name_prefix)) return std::nullopt;
  std::uint32_t worker = 0;
  const char* end = name.data() + name.size();
  const auto [stop, bad] = std::from_chars(name.data() + name_prefix.size(), end, worker);
  if (bad != std::errc{} || stop != end) return std::nullopt;
  return worker;
}

template <class Each>
Result<void> for_each_ring(const std::filesystem::path& directory, Each&& each) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (worker_of(at->path())) paths.push_back(at->path());
  }
  if (error) return fail(fmt::format("cannot list {}: {}", directory.string(), error.message()));
  for (const auto& path : paths) each(path, *worker_of(path));
  return {};
}

}  // namespace

bool RingRecovery::is_all_of(std::uint64_t epoch) const noexcept {
  return damaged.empty() && !rings.empty() && std::ranges::all_of(rings, [epoch](const auto& ring) {
           return ring->epoch() == epoch && ring->is_of_this_boot();
         });
}

std::filesystem::path ring_path(const std::filesystem::path& directory, std::uint32_t worker) {
  return directory / fmt::format("{}{}", name_prefix, worker);
}

Result<RingRecovery> open_left_rings(const std::filesystem::path& directory) {
  RingRecovery out;
  const auto done = for_each_ring(directory, [&out](const auto& path, std::uint32_t) {
    auto ring = Ring::open(path);
    if (!ring) {
      out.damaged.push_back(ring.error().message);
      return;
    }
    if ((*ring)->failure().segment > out.failure.segment) out.failure = (*ring)->failure();
    out.rings.push_back(std::move(*ring));
  });
  if (!done) return fail(done.error().message);
  return out;
}

Result<std::uint64_t> empty_left_rings(RingRecovery& left, const Chain& past, SegmentLog& log) {
  std::vector<Position> positions;
  std::vector<Ring*> rings;
  for (const auto& ring : left.rings) {
    positions.push_back(
        {ring->epoch(), ring->worker(), past.position(ring->epoch(), ring->worker())});
    rings.push_back(ring.get());
  }
  log.set_positions(std::move(positions));
  Drain drain(rings, Drain::OnDamage::stop_ring);
  std::uint64_t recovered = 0;
  const auto move_one_batch = [&]() -> Result<bool> {
    auto has_new = drain.look(log);
    if (!has_new || !*has_new) return has_new;
    if (auto done = log.begin_batch(); !done) return fail(done.error().message);
    const auto staged = drain.stage_into(log);
    if (!staged) return fail(staged.error().message);
    if (auto done = log.commit(); !done) return fail(done.error().message);
    recovered += *staged;
    return true;
  };
  for (;;) {
    const auto moved = move_one_batch();
    if (!moved) {
      for (Ring* ring : rings) ring->mark_broken(log.trusted());
      return fail(moved.error().message);
    }
    if (!*moved) break;
  }
  left.damaged.insert(left.damaged.end(), drain.damaged().begin(), drain.damaged().end());
  return recovered;
}

Result<void> remove_rings_from(const std::filesystem::path& directory, std::uint32_t first) {
  return for_each_ring(directory, [first](const auto& path, std::uint32_t worker) {
    std::error_code ignored;
    if (worker >= first) std::filesystem::remove(path, ignored);
  });
}

}  // namespace sluice::audit
