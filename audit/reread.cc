#include "audit/reread.h"

#include <fmt/format.h>

#include <array>

namespace sluice::audit {
namespace {

constexpr std::string_view probe_name = "probe";

/// A block that is written, synced and removed: cheaper than reading a segment in vain.
Result<void> probe(Disk& disk, const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / probe_name;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  const auto file = disk.create(path);
  if (!file) return fail(file.error().message);
  constexpr std::array<std::uint8_t, 4096> block{};
  if (auto done = (*file)->append(block); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  return disk.remove(path);
}

}  // namespace

Result<SegmentRecovery> reread_log(Disk& disk, const std::filesystem::path& directory,
                                   const Verifier& verifier, const FailureMark& failure,
                                   std::span<const Position> promised) {
  if (auto done = probe(disk, directory); !done) return fail(done.error().message);
  auto past = recover_segments(disk, directory, verifier, failure);
  if (!past) return past;
  for (const Position& worker : promised) {
    const std::uint64_t found = past->chain.position(worker.epoch, worker.worker);
    if (found < worker.sequence) {
      return fail(fmt::format("the disk lost what it had synced: worker {} is at {}, was at {}",
                              worker.worker, found, worker.sequence));
    }
  }
  return past;
}

}  // namespace sluice::audit
