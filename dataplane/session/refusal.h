// What the gateway itself answers: problem+json (RFC 9457) that names the rule and the
// record, and how far a request is that people decide on.
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
  // Of what people decide on; empty: nothing is.
  std::string_view request = {};  ///< Its name.
  std::string_view state = {};    ///< "waiting", "approved", …
};

/// Where a client asks how far a request is: this, and its name (RFC 8615).
inline constexpr std::string_view requests_path = "/.well-known/sluice/requests/";

/// Queues the whole response. False when no buffer is free: then just close.
[[nodiscard]] bool write_refusal(WorkerContext& worker, SliceQueue& out,
                                 const Refusal& refusal) noexcept;

}  // namespace sluice::dataplane
