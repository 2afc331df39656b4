// The records of one session: counts them, so that its last one says how many there
// were, and sees to it that there is a last one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "audit/worker_log.h"
#include "base/instant.h"

namespace sluice::dataplane {

/// What a session's last record says of those before it.
struct SessionCounts {
  std::uint64_t session = 0;
  std::uint64_t operations = 0;
  std::uint64_t first_sequence = 0;  ///< 0: it left no record.
  std::uint64_t last_sequence = 0;
};

/// One per worker: the log, and ends of sessions that it had no room for. They are as many
/// as there were sessions then at most, since nobody is read from meanwhile.
class SessionEnds {
 public:
  /// Both outlive it.
  SessionEnds(audit::WorkerLog& log, const Now& now) : log_(log), now_(now) {}

  [[nodiscard]] audit::WorkerLog& log() noexcept { return log_; }
  void append(const SessionCounts& counts);
  /// Tries again, the oldest first.
  void flush();
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

 private:
  [[nodiscard]] bool record(const SessionCounts& counts) noexcept;

  audit::WorkerLog& log_;
  const Now& now_;
  std::vector<SessionCounts> waiting_;
};

class SessionLog {
 public:
  SessionLog(SessionEnds& ends, std::uint64_t session) : ends_(ends) { counts_.session = session; }
  ~SessionLog() {
    if (counts_.first_sequence != 0) ends_.append(counts_);
  }
  SessionLog(const SessionLog&) = delete;
  SessionLog& operator=(const SessionLog&) = delete;

  std::optional<std::uint64_t> append_intent(const audit::Record& record) noexcept {
    return note(record, ends_.log().append_intent(record));
  }
  std::uint64_t append_outcome(const audit::Record& record) noexcept {
    return *note(record, ends_.log().append_outcome(record));
  }
  std::optional<std::uint64_t> append_single(const audit::Record& record) noexcept {
    return note(record, ends_.log().append_single(record));
  }
  /// The session's own account of its end. With it, none is added.
  [[nodiscard]] bool append_last(audit::Record record) noexcept;

 private:
  std::optional<std::uint64_t> note(const audit::Record& record,
                                    std::optional<std::uint64_t> sequence) noexcept {
    if (!sequence) return sequence;
    if (counts_.first_sequence == 0) counts_.first_sequence = *sequence;
    counts_.last_sequence = *sequence;
    if (record.phase == audit::Phase::intent) ++counts_.operations;
    return sequence;
  }

  SessionEnds& ends_;
  SessionCounts counts_;
};

}  // namespace sluice::dataplane
