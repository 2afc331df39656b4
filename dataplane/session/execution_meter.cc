#include "dataplane/session/execution_meter.h"

#include <fmt/format.h>

namespace sluice::dataplane {

const ExecutionMeter::Cut& ExecutionMeter::cut() {
  const bool has_all_rows = tally_.rows >= rows_.max;
  return cut_.emplace(has_all_rows
                          ? Cut{rows_.rule, fmt::format("more than {} rows", rows_.max)}
                          : Cut{bytes_.rule, fmt::format("more than {} bytes", bytes_.max)});
}

}  // namespace sluice::dataplane
