// Retention: whole sealed segments go when they are older than the log is kept, and leave
// what proves the rest (stand_in.h). What is under a legal hold stays, and what an export
// has not passed. Each removal, and each change of holds, is a durable record of the log
// before it takes effect.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/file.h"
#include "audit/legal_holds.h"
#include "audit/stand_in.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::audit {

/// Somebody who still reads the log from record `next` on.
struct LogFollower {
  std::string name;
  std::uint64_t next = 0;
};

struct RetentionOptions {
  std::filesystem::path directory;
  /// How old a segment's newest record must be; nothing: all is kept. Asked for each pass.
  std::function<std::optional<Duration>()> keep;
  std::function<std::vector<LogFollower>()> followers;
  /// Makes a control record, and returns when it is durable.
  std::function<Result<void>(std::string_view event, std::string_view detail)> record;
  /// Tells people, and the log, of what does not go as it should.
  std::function<void(std::string_view event, std::string_view detail)> alarm;
  std::function<Now()> clock;
  Disk* disk = nullptr;  ///< Null is the real one. For tests.
};

struct RetentionStatus {
  std::uint64_t removed_segments = 0;  ///< Since start, as the two below.
  std::uint64_t removed_records = 0;
  std::uint64_t failures = 0;
  std::uint64_t holds = 0;             ///< In force.
  std::uint64_t held_segments = 0;     ///< That would have gone but for them.
  std::uint64_t awaited_segments = 0;  ///< That would have gone but for an export.
};

class Retention {
 public:
  explicit Retention(RetentionOptions options);
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  /// Removes what is due, if it is time to look. Always from the same thread.
  void pass(const std::atomic<bool>& stop);

  // Thread-safe. A removal under way is awaited, so that what these say holds from then on.
  [[nodiscard]] Result<LegalHolds> legal_holds() const;
  /// Gives it a number. `hold.id` is not looked at.
  /// by       who asked, for the record of it.
  /// errors   it is about no time, its reason is none, there are too many; or the log or the
  ///          disk does not take it: then it is not in force.
  Result<LegalHold> add_legal_hold(LegalHold hold, std::string_view by);
  /// errors   there is none of this number, or the log or the disk does not take it.
  Result<LegalHold> release_legal_hold(std::uint64_t id, std::string_view by);
  /// Runs the removal of something else that is of these times, as `pass` removes segments:
  /// not under a legal hold, and holds stay as they are meanwhile.
  /// returns  false when it is held.
  /// errors   the removal's own, or the holds cannot be read.
  Result<bool> remove_unless_held(std::uint64_t first_ns, std::uint64_t last_ns,
                                  const std::function<Result<void>()>& removal);
  [[nodiscard]] RetentionStatus status() const;

 private:
  struct Span {
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
  };
  enum class Verdict { removed, held, awaited, stays, too_young, failed };

  void finish_interrupted(std::uint64_t last);
  void remove_due(std::uint64_t last, std::uint64_t until_ns, const std::atomic<bool>& stop);
  Verdict judge(std::uint64_t segment, std::uint64_t until_ns, const std::atomic<bool>& stop);
  Result<Verdict> try_remove(std::uint64_t segment, std::uint64_t until_ns,
                             const std::atomic<bool>& stop);
  Result<Verdict> remove(const StandInDraft& draft);
  [[nodiscard]] Result<Span> span_of(std::uint64_t segment) const;
  [[nodiscard]] std::string awaited_by(std::uint64_t end_record) const;
  [[nodiscard]] Result<bool> is_held(const Span& span) const;
  Result<void> change_holds(const LegalHolds& next, std::string_view event, const LegalHold& hold,
                            std::string_view by);
  /// Of each reason once, until all is well again: an empty one says that.
  void complain(std::string_view event, const std::string& reason);

  RetentionOptions options_;
  Disk& disk_;
  mutable std::mutex mutex_;  ///< Guards the holds' file, and the status.
  RetentionStatus status_;
  // Of the thread that passes.
  std::optional<Duration> keep_;
  Instant next_pass_;
  std::uint64_t lowest_ = 0;            ///< All segments before it were removed; 0: not known yet.
  std::map<std::uint64_t, Span> read_;  ///< Of segments that were read in vain.
  std::map<std::string, std::set<std::string>> complaints_;  ///< By event.
};

}  // namespace sluice::audit
