// One HTTP operation in flight: what was decided about the request, and how far
// both directions have come. Reused from a worker's free list.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/instant.h"
#include "dataplane/session/body_relay.h"
#include "dataplane/session/recorded_body.h"
#include "dataplane/session/snapshot_view.h"
#include "matcher/body_masker.h"
#include "parsers/http1/decoder.h"

namespace sluice::dataplane {

/// What is forgotten between two operations that use the same Exchange.
struct ExchangeFacts {
  SnapshotView* view = nullptr;
  const ListenerPlan* listener = nullptr;
  const TargetPlan* target = nullptr;
  std::size_t address = 0;  ///< Of the target, once an upstream was chosen.
  Instant started;
  std::uint64_t number = 0;    ///< Operation within the session.
  std::uint64_t intent = 0;    ///< Sequence number of its record.
  std::uint64_t bytes_in = 0;  ///< Body bytes from the client.
  std::uint64_t bytes_out_pending =
      0;                         ///< Judged and masked, to be queued once the outcome is recorded.
  std::size_t gather_bytes = 0;  ///< The response waits until so many bytes lie side by side.
  std::uint16_t status = 0;
  std::uint8_t attempts = 0;  ///< Upstreams tried.
  std::uint8_t client_minor = 1;
  http1::Method method = http1::Method::other;
  bool client_keeps_alive = true;
  bool request_complete = false;
  bool response_seen = false;     ///< The target has answered something.
  bool response_started = false;  ///< The client's queue has the head.
  bool response_keeps_alive = false;
  bool upstream_ended = false;        ///< The target will send no more.
  bool wants_fresh_upstream = false;  ///< A pooled connection was dead: make a new one.
  bool has_shown_key = false;         ///< The request's proof of its token's key was checked.
  bool is_recorded = false;           ///< Both directions go into the session's recording.
  bool rewind = false;                ///< The next upstream gets the request from its beginning.
  matcher::RuleSet request_masks;
  matcher::RuleSet response_masks;
};

struct Exchange : ExchangeFacts {
  std::optional<http1::ResponseDecoder> response_decoder;
  BodyRelay request_relay;
  BodyRelay response_relay;
  matcher::BodyMasker request_masker;
  matcher::BodyMasker response_masker;
  RecordedBody recorded_body;      ///< Of the request, when the exchange is recorded.
  bool request_is_masked = false;  ///< The body passes request_masker.
  bool response_is_masked = false;
  /// Masks applied to heads, by rule; bodies are counted by their maskers.
  std::array<std::uint32_t, matcher::rules_max> head_mask_counts;

  /// rules  of the mask program in force: so many counts begin at zero.
  void begin(std::size_t rules) noexcept {
    static_cast<ExchangeFacts&>(*this) = {};
    request_is_masked = response_is_masked = false;
    std::fill_n(head_mask_counts.begin(), rules, 0);
  }
};

/// Gives out exchanges without allocating once a worker is warm.
class ExchangePool {
 public:
  /// As its last operation left it: begin() comes first.
  [[nodiscard]] std::unique_ptr<Exchange> take();
  void give_back(std::unique_ptr<Exchange> exchange) noexcept;

 private:
  std::vector<std::unique_ptr<Exchange>> free_;
};

}  // namespace sluice::dataplane
