// One simulated connection as the network holds it: two pipes with a window
// each, and the scripted peer at the far end. Outlives the gateway's end, for
// bytes that are still under way when it closes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dataplane/transport/sim_peer.h"

namespace sluice::dataplane {

/// What can happen to a wire next. Each is pending at most once, but for alarms.
enum class SimStep : std::uint8_t {
  arrive,    ///< A client reaches the listener.
  connect,   ///< A connect of the gateway's is answered.
  inbound,   ///< Bytes of the peer's reach the gateway's window.
  read,      ///< The gateway's receive gets bytes or the end.
  write,     ///< The gateway's send gets bytes into the window.
  outbound,  ///< Bytes of the gateway's reach the peer.
  alarm,     ///< The peer asked for it.
  breaks,    ///< The network resets the connection.
  closed,    ///< The gateway's close is complete.
};

/// Bytes under way in one direction.
class SimPipe {
 public:
  void push(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] ByteView front(std::size_t count) const { return {bytes_.data() + taken_, count}; }
  void pop(std::size_t count);
  [[nodiscard]] std::size_t size() const { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  void clear() { *this = {}; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t taken_ = 0;
};

class SimWire final : public SimRemote {
 public:
  /// `schedule` asks the simulation for a step of this wire after a delay of
  /// its choice, or of exactly the given one.
  using Schedule = std::function<void(SimWire&, SimStep, const Duration* exactly)>;

  SimWire(std::size_t window_bytes, const Instant* now, Schedule schedule)
      : window_bytes_(window_bytes), now_(now), schedule_(std::move(schedule)) {}

  // The peer's side.
  void send(ByteView bytes) override;
  void finish() override;
  void reset() override;
  void pause() override { peer_paused_ = true; }
  void resume() override;
  void alarm(Duration delay) override;
  [[nodiscard]] Instant now() const override { return *now_; }

  // The gateway's side.
  void attach(SimPeer& peer) { peer_ = &peer; }
  void opened();
  /// What may be read now; the end comes after all of it.
  [[nodiscard]] const SimPipe& readable() const { return arrived_; }
  void consume(std::size_t count);
  [[nodiscard]] bool at_end() const { return arrived_.empty() && end_arrived_; }
  [[nodiscard]] bool is_reset() const { return broken_; }
  [[nodiscard]] std::size_t writable_bytes() const { return window_bytes_ - departed_.size(); }
  void write(ByteView bytes);
  void write_end();
  /// The gateway let go: gently, or with a reset when it left bytes unread.
  void gateway_closed();

  // The network's side.
  void step_inbound(std::size_t chunk_bytes);
  void step_outbound(std::size_t chunk_bytes);
  void step_alarm();
  /// Breaks both ways; the peer is told.
  void break_off();
  [[nodiscard]] std::size_t inbound_bytes() const;

  bool pending[16] = {};                  ///< By SimStep; the simulation's own note.
  std::uint32_t connection = 0xFFFFFFFF;  ///< The gateway's slot, while it has one.

 private:
  void ask(SimStep step) { schedule_(*this, step, nullptr); }
  void wake_reader() { ask(SimStep::read); }
  [[nodiscard]] bool over() const { return broken_ || !open_; }

  const std::size_t window_bytes_;
  const Instant* now_;
  Schedule schedule_;
  SimPeer* peer_ = nullptr;
  bool open_ = false;
  bool broken_ = false;
  bool gateway_gone_ = false;

  SimPipe queued_;   ///< The peer's, not yet taken by the network.
  SimPipe arrived_;  ///< In the gateway's window.
  bool peer_finishes_ = false;
  bool end_arrived_ = false;

  SimPipe departed_;  ///< In the peer's window.
  bool gateway_finishes_ = false;
  bool end_delivered_ = false;
  bool peer_paused_ = false;
};

}  // namespace sluice::dataplane
