#include "dataplane/session/session_log.h"

namespace sluice::dataplane {
namespace {

void add_counts(const SessionCounts& counts, audit::Record& record) noexcept {
  record.operations = counts.operations;
  record.first_sequence = counts.first_sequence;
  record.last_sequence = counts.last_sequence;
}

}  // namespace

void SessionEnds::append(const SessionCounts& counts) {
  flush();
  if (!waiting_.empty() || !record(counts)) waiting_.push_back(counts);
}

void SessionEnds::flush() {
  std::size_t done = 0;
  while (done < waiting_.size() && record(waiting_[done])) ++done;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
}

bool SessionEnds::record(const SessionCounts& counts) noexcept {
  audit::Record record;
  record.phase = audit::Phase::session;
  record.time = now_;
  record.session = counts.session;
  record.event = "closed";
  add_counts(counts, record);
  return log_.append_single(record).has_value();
}

bool SessionLog::append_last(audit::Record record) noexcept {
  add_counts(counts_, record);
  if (!ends_.log().append_single(record)) return false;
  counts_.first_sequence = 0;
  return true;
}

}  // namespace sluice::dataplane
