// Recordings go as a whole: when they are older than they are kept, or when somebody deletes
// one. A durable record of the log says so first; none goes while it is being made, or under a
// legal hold.
//
// source   docs/recordings.md, "How long they stay"
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "audit/file.h"
#include "audit/retention.h"
#include "base/instant.h"
#include "base/result.h"
#include "recordings/chunk_note.h"
#include "recordings/recorder.h"

namespace sluice::recordings {

struct RetentionOptions {
  std::filesystem::path directory;
  std::optional<Duration> keep;     ///< How old its last item must be; nothing: none is old enough.
  audit::Retention* log = nullptr;  ///< Has the legal holds; outlives this.
  /// Makes a control record, and returns when it is durable.
  std::function<Result<void>(const Event&)> record;
  /// Tells people, and the log, of what does not go as it should.
  std::function<void(std::string_view event, std::string_view detail)> alarm;
  /// Runs a removal of files, which returns how much they took.
  std::function<void(const std::function<std::uint64_t()>&)> discount;
  std::function<Now()> clock;
  audit::Disk* disk = nullptr;
};

struct RetentionStatus {
  std::uint64_t removed = 0;  ///< Recordings, since the start.
  std::uint64_t failures = 0;
  std::uint64_t held = 0;  ///< That would have gone but for a legal hold, as last seen.
};

class Retention {
 public:
  explicit Retention(RetentionOptions options) : options_(std::move(options)) {}
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  /// Removes what is due, if it is time to look. Always from the same thread.
  void pass(const std::atomic<bool>& stop);

  // Thread-safe.
  /// reason   one line, for the log.
  /// by       who asked.
  /// errors   there is none of this name, it is being made or held, the reason is none, or the
  ///          log or the disk does not take it.
  Result<RemovalNote> remove(const std::string& name, std::string_view reason, std::string_view by);
  [[nodiscard]] RetentionStatus status() const noexcept { return {removed_, failures_, held_}; }

 private:
  void finish_interrupted();
  Result<bool> remove_when_due(const std::string& name, WallTime until);
  Result<bool> remove(const std::string& name, const RemovalNote& note, std::string_view why);
  Result<void> take_away(const std::string& name);
  void complain(const std::string& reason);

  RetentionOptions options_;
  std::atomic<std::uint64_t> removed_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> held_{0};
  // Of the thread that passes.
  Instant next_pass_;
  bool has_begun_ = false;
  std::set<std::string> complaints_;
};

}  // namespace sluice::recordings
