#include "dataplane/transport/sim_wire.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace sluice::dataplane {

void SimPipe::pop(std::size_t count) {
  ASSERT(count <= size());
  taken_ += count;
  // Moves what is left only when that is less than what is gone.
  if (taken_ * 2 < bytes_.size()) return;
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
}

void SimWire::send(ByteView bytes) {
  if (over() || peer_finishes_) return;
  queued_.push(bytes);
  ask(SimStep::inbound);
}

void SimWire::finish() {
  if (over()) return;
  peer_finishes_ = true;
  ask(SimStep::inbound);
}

void SimWire::reset() {
  if (over()) return;
  peer_ = nullptr;  // it knows
  break_off();
}

void SimWire::resume() {
  peer_paused_ = false;
  if (!over()) ask(SimStep::outbound);
}

void SimWire::alarm(Duration delay) {
  if (peer_ != nullptr) schedule_(*this, SimStep::alarm, &delay);
}

void SimWire::opened() {
  open_ = true;
  if (peer_ != nullptr) peer_->on_connected(*this);
}

void SimWire::consume(std::size_t count) {
  arrived_.pop(count);
  ask(SimStep::inbound);
}

void SimWire::write(ByteView bytes) {
  ASSERT(bytes.size() <= writable_bytes());
  departed_.push(bytes);
  ask(SimStep::outbound);
}

void SimWire::write_end() {
  gateway_finishes_ = true;
  ask(SimStep::outbound);
}

void SimWire::gateway_closed() {
  gateway_gone_ = true;
  connection = 0xFFFFFFFF;
  if (over()) return;
  // As TCP does: closing with bytes unread loses what was on its way out.
  if (!arrived_.empty()) return break_off();
  write_end();
}

void SimWire::step_inbound(std::size_t chunk_bytes) {
  if (over()) return;
  const std::size_t count = std::min(chunk_bytes, inbound_bytes());
  if (count > 0) {
    // A closed socket answers bytes with a reset.
    if (gateway_gone_) return break_off();
    arrived_.push(queued_.front(count));
    queued_.pop(count);
    wake_reader();
    if (queued_.empty() && !peer_finishes_ && peer_ != nullptr) peer_->on_drained(*this);
  }
  if (over()) return;
  if (inbound_bytes() > 0) return ask(SimStep::inbound);
  if (queued_.empty() && peer_finishes_ && !std::exchange(end_arrived_, true)) wake_reader();
}

void SimWire::step_outbound(std::size_t chunk_bytes) {
  if (over() || peer_paused_) return;
  const std::size_t count = std::min(chunk_bytes, departed_.size());
  if (count > 0) {
    const ByteView bytes = departed_.front(count);
    const std::vector<std::uint8_t> chunk(bytes.begin(), bytes.end());
    departed_.pop(count);
    ask(SimStep::write);
    if (peer_ != nullptr) peer_->on_bytes(*this, chunk);
  }
  if (over()) return;
  if (!departed_.empty()) return ask(SimStep::outbound);
  if (gateway_finishes_ && !std::exchange(end_delivered_, true) && peer_ != nullptr) {
    peer_->on_finished(*this);
  }
}

void SimWire::step_alarm() {
  if (peer_ != nullptr) peer_->on_alarm(*this);
}

void SimWire::break_off() {
  if (broken_) return;
  broken_ = true;
  queued_.clear();
  departed_.clear();
  // What arrived before the break can still be read, as with TCP.
  wake_reader();
  ask(SimStep::write);
  if (SimPeer* const peer = std::exchange(peer_, nullptr)) peer->on_reset(*this);
}

std::size_t SimWire::inbound_bytes() const {
  return std::min(queued_.size(), window_bytes_ - std::min(window_bytes_, arrived_.size()));
}

}  // namespace sluice::dataplane
