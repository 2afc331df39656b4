// How a person names one record: what a refusal shows and `sluice audit` finds.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "audit/worker_log.h"

namespace sluice::dataplane {

/// "EPOCH-WORKER-SEQUENCE", the epoch in hexadecimal: unique over restarts and workers.
inline std::string_view record_id(const audit::WorkerLog& log, std::uint64_t sequence,
                                  std::array<char, 64>& room) {
  const auto end = fmt::format_to_n(room.data(), room.size(), "{:016x}-{}-{}", log.epoch(),
                                    log.worker(), sequence);
  return {room.data(), std::min(end.size, room.size())};
}

}  // namespace sluice::dataplane
