#include "audit/worker_log.h"

#include "audit/flush_signal.h"
#include "audit/frame.h"
#include "audit/operation_key.h"
#include "audit/ring.h"
#include "base/assert.h"

namespace sluice::audit {
namespace {

constexpr std::size_t frame_bytes(std::size_t record_bytes) {
  return frame_head_bytes + 1 + record_bytes;
}
constexpr std::size_t outcome_frame_bytes = frame_bytes(outcome_bytes_max);
static_assert(1 + record_bytes_max <= frame_body_bytes_max);
static_assert(Ring::bytes_min >= 2 * (frame_bytes(record_bytes_max) + outcome_frame_bytes));

}  // namespace

WorkerLog::WorkerLog(Ring& ring, FlushSignal& flush, const OperationKey& key)
    : ring_(ring),
      flush_(flush),
      operation_key_(key),
      epoch_(ring.epoch()),
      hurry_bytes_(ring.capacity() / 4),
      worker_(ring.worker()) {}

bool WorkerLog::has_room() const noexcept {
  return ring_.has_room(reserved_bytes_ + frame_bytes(record_bytes_max) + outcome_frame_bytes);
}

std::optional<std::uint64_t> WorkerLog::append_intent(const Record& record) noexcept {
  const std::size_t bytes = encoded_bytes_max(record);
  if (!accepts(frame_bytes(bytes) + outcome_frame_bytes)) return std::nullopt;
  reserved_bytes_ += outcome_frame_bytes;
  return append(record, bytes);
}

std::uint64_t WorkerLog::append_outcome(const Record& record) noexcept {
  ASSERT(reserved_bytes_ >= outcome_frame_bytes);
  reserved_bytes_ -= outcome_frame_bytes;
  return append(record, outcome_bytes_max);
}

std::optional<std::uint64_t> WorkerLog::append_single(const Record& record) noexcept {
  const std::size_t bytes = encoded_bytes_max(record);
  if (!accepts(frame_bytes(bytes))) return std::nullopt;
  return append(record, bytes);
}

bool WorkerLog::accepts(std::size_t bytes) noexcept {
  if (!is_broken()) return ring_.has_room(reserved_bytes_ + bytes);
  ring_.count_refusal();
  return false;
}

std::uint64_t WorkerLog::append(const Record& record, std::size_t record_bytes) noexcept {
  Stamp stamp{salts_.next(), epoch_, ++sequence_, worker_};
  if (!record.unmasked.empty()) stamp.digest = operation_key_.digest(record.unmasked);
  std::uint8_t* frame = ring_.tail();
  frame[frame_head_bytes] = static_cast<std::uint8_t>(FrameType::record);
  const std::size_t encoded = encode(record, stamp, {frame + frame_head_bytes + 1, record_bytes});
  ring_.publish(seal_frame(frame, 1 + encoded));
  // The writer polls, so usually nobody is told. It sleeps longer when idle; a
  // burst must not fill the ring meanwhile.
  if (ring_.backlog() > hurry_bytes_ && !ring_.has_room(ring_.capacity() - hurry_bytes_)) {
    flush_.request();
  }
  return stamp.sequence;
}

Hash WorkerLog::digest_of(std::span<const std::string_view> pieces) const noexcept {
  return operation_key_.digest(pieces);
}

std::uint64_t WorkerLog::durable_through() const noexcept {
  return ring_.durable_through();
}
void WorkerLog::request_flush() noexcept {
  flush_.request();
}
bool WorkerLog::is_broken() const noexcept {
  return ring_.is_broken();
}

}  // namespace sluice::audit
