// What a refused client gets: problem+json (RFC 9457) that names the rule and the record.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/session/worker_context.h"
#include "dataplane/slice_queue.h"

namespace sluice::dataplane {

struct Refusal {
  std::uint16_t status = 403;
  std::string_view detail;  ///< For the person at the client: what happened, what to do.
  std::string_view rule;    ///< Empty when no rule decided.
  std::string_view record;  ///< Record id; empty when nothing could be recorded.
  bool is_head_request = false;
  bool close = false;  ///< The connection cannot go on.
};

/// Queues the whole response. False when no buffer is free: then just close.
[[nodiscard]] bool write_refusal(WorkerContext& worker, SliceQueue& out,
                                 const Refusal& refusal) noexcept;

}  // namespace sluice::dataplane
