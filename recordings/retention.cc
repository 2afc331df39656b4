#include "recordings/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "audit/legal_holds.h"
#include "recordings/folder.h"

namespace sluice::recordings {
namespace {

constexpr Duration pause_min = seconds(1);
constexpr Duration pause_max = seconds(3'600);  // A pass looks into every recording.
constexpr std::int64_t passes_per_keep = 60;

/// What is there of a recording.
Result<RemovalNote> look_at(const std::filesystem::path& recording) {
  const auto chunks = list_sized_chunks(recording);
  if (!chunks) return tl::unexpected(chunks.error());
  RemovalNote note;
  note.chunks = chunks->size();
  if (chunks->empty()) return note;
  const auto first_of = [](const SizedChunk& chunk) { return chunk.file.first; };
  const auto last_of = [](const SizedChunk& chunk) { return chunk.file.last; };
  note.first = first_of(std::ranges::min(*chunks, {}, first_of));
  note.last = last_of(std::ranges::max(*chunks, {}, last_of));
  for (const SizedChunk& chunk : *chunks) note.bytes += chunk.bytes;
  return note;
}

/// How much it was.
std::uint64_t remove_files(const std::filesystem::path& folder) {
  const std::uint64_t before = bytes_in(folder);
  std::error_code ignored;  // The next start tries again.
  std::filesystem::remove_all(folder, ignored);
  return before - std::min(before, bytes_in(folder));
}

}  // namespace

void Retention::pass(const std::atomic<bool>& stop) {
  if (!std::exchange(has_begun_, true)) finish_interrupted();
  const Now now = options_.clock();
  if (!options_.keep || now.monotonic < next_pass_) return;
  next_pass_ = now.monotonic +
               std::clamp(Duration{options_.keep->ns / passes_per_keep}, pause_min, pause_max);
  const auto all = list_recordings(options_.directory);
  if (!all) return complain(all.error().message);
  const WallTime until{now.wall.ns - options_.keep->ns};
  std::uint64_t held = 0;
  bool is_well = true;
  for (const RecordingFolder& one : *all) {
    if (stop) return;
    if (one.is_open) continue;
    const auto done = remove_when_due(one.name, until);
    if (!done) complain(fmt::format("recording {}: {}", one.name, done.error().message));
    is_well = is_well && done;
    held += done && !*done ? 1U : 0U;
  }
  held_ = held;
  if (is_well) complaints_.clear();
}

/// returns  false when it is due and held.
Result<bool> Retention::remove_when_due(const std::string& name, WallTime until) {
  const auto note = look_at(options_.directory / name);
  if (!note) return tl::unexpected(note.error());
  if (note->last >= until) return true;
  return remove(name, *note,
                fmt::format("older than {} s (recordings.retention.keep)",
                            options_.keep->ns / 1'000'000'000));
}

Result<RemovalNote> Retention::remove(const std::string& name, std::string_view reason,
                                      std::string_view by) {
  if (!audit::is_reason(reason)) {
    return fail(
        fmt::format("a reason is a line of at most {} bytes", audit::legal_hold_reason_bytes_max));
  }
  const auto path = find_recording(options_.directory, name);
  if (!path) return fail(fmt::format("there is no recording {}", name));
  if (path->native().ends_with(open_suffix)) {
    return fail(fmt::format("recording {} is being made: its session must end first", name));
  }
  const auto note = look_at(*path);
  if (!note) return tl::unexpected(note.error());
  const auto done = remove(name, *note, fmt::format("by {}: {}", by, reason));
  if (!done) return tl::unexpected(done.error());
  if (!*done) return fail(fmt::format("recording {} is under a legal hold", name));
  return *note;
}

/// returns  false when it is held.
Result<bool> Retention::remove(const std::string& name, const RemovalNote& note,
                               std::string_view why) {
  return options_.log->remove_unless_held(
      static_cast<std::uint64_t>(note.first.ns), static_cast<std::uint64_t>(note.last.ns),
      [&]() -> Result<void> {
        std::error_code ignored;
        if (!std::filesystem::exists(options_.directory / name, ignored)) {
          return fail("it is gone already");
        }
        const std::string detail = text_of(note, why);
        const Event event{removed_event, detail, name, session_of(name)};
        if (auto done = options_.record(event); !done) return done;
        return take_away(name);
      });
}

/// Out of sight at once, so that nobody meets half of it.
Result<void> Retention::take_away(const std::string& name) {
  const auto gone = options_.directory / fmt::format("{}{}", name, removed_suffix);
  if (auto done = options_.disk->rename(options_.directory / name, gone); !done) return done;
  if (auto done = options_.disk->sync_directory(options_.directory); !done) return done;
  options_.discount([&gone] { return remove_files(gone); });
  ++removed_;
  return {};
}

/// The log says already that these are removed.
void Retention::finish_interrupted() {
  std::error_code ignored;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, ignored)) {
    const auto name = entry.path().stem().string();
    const bool is_removed = entry.path().extension() == removed_suffix;
    if (is_removed && is_recording_name(name)) found.push_back(entry.path());
  }
  for (const auto& path : found) {
    options_.discount([&path] { return remove_files(path); });
  }
}

/// Of each reason once, until all is well again.
void Retention::complain(const std::string& reason) {
  ++failures_;
  if (complaints_.insert(reason).second) options_.alarm("retention-failed", reason);
}

}  // namespace sluice::recordings
