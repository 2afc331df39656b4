#include "load/figures.h"

#include <algorithm>
#include <numeric>

namespace sluice::load {

void Figures::add(const Figures& other) {
  service.add(other.service);
  lateness.add(other.lateness);
  queueing.add(other.queueing);
  connecting.add(other.connecting);
  for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
  failed_checks.resize(std::max(failed_checks.size(), other.failed_checks.size()));
  for (std::size_t i = 0; i < other.failed_checks.size(); ++i) {
    failed_checks[i] += other.failed_checks[i];
  }
  completed += other.completed;
  bytes_received += other.bytes_received;
  connects += other.connects;
  connect_errors += other.connect_errors;
  read_errors += other.read_errors;
  unanswered += other.unanswered;
  unanswered_wait_max = std::max(unanswered_wait_max, other.unanswered_wait_max);
}

void Figures::clear() {
  for (LatencyHistogram* each : {&service, &lateness, &queueing, &connecting}) each->clear();
  statuses.fill(0);
  std::fill(failed_checks.begin(), failed_checks.end(), 0);
  completed = bytes_received = connects = connect_errors = read_errors = unanswered = 0;
  unanswered_wait_max = {};
}

std::uint64_t Figures::checks_failed() const noexcept {
  return std::accumulate(failed_checks.begin(), failed_checks.end(), std::uint64_t{0});
}

}  // namespace sluice::load
