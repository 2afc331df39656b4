// The transport on a simulated network: tests run the real loop and sessions
// on it, with time under control and one seed deciding everything that a real
// network decides by chance. It also holds its user to the seam's rules.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "dataplane/transport/sim_random.h"
#include "dataplane/transport/sim_wire.h"
#include "dataplane/transport/transport.h"
#include "dataplane/transport/transport_counters.h"

namespace sluice::dataplane {

struct SimOptions {
  std::uint64_t seed = 1;
  std::uint32_t connections_max = 64;
  std::size_t buffer_bytes = 4 * 1024 * 1024;  ///< The whole pool.
  std::size_t window_bytes = 64 * 1024;        ///< Unread bytes that each side holds.
  std::size_t chunk_bytes_max = 64 * 1024;     ///< Moved at a time: 1 to this many.
  Duration delay_max = milliseconds(1);        ///< Of each step a byte takes.
  /// What a turn of the loop takes, so that time goes on for one that never waits.
  Duration turn_cost = Duration{1'000};
  unsigned reset_per_mille = 0;             ///< Connections that break at some moment.
  unsigned refuse_per_mille = 0;            ///< Connects that fail.
  unsigned starve_per_mille = 0;            ///< Receives that find no buffer at first.
  std::size_t splices_max = 4;              ///< At once.
  unsigned splice_decline_per_mille = 100;  ///< Splices that come to nothing.
};

/// Keeps a Transport's promises (transport.h). One thread, but for the waker.
class SimTransport {
 public:
  /// The next connection's script, or null to refuse it.
  using Server = std::function<SimPeer*()>;

  explicit SimTransport(const SimOptions& options);
  SimTransport(const SimTransport&) = delete;
  SimTransport& operator=(const SimTransport&) = delete;
  ~SimTransport() = default;

  // The world.
  /// Connects to `endpoint` reach `server`; without one they are refused.
  void serve(const Endpoint& endpoint, Server server);
  /// Connects to `endpoint` are never answered.
  void swallow(const Endpoint& endpoint);
  /// A client of `listener` comes after `delay`.
  void bring_client(std::uint16_t listener, SimPeer& peer, Duration delay = {});

  // The seam.
  ConnId connect(const Endpoint& peer);
  void receive(ConnId id);
  void pause(ConnId id);
  void send(ConnId id, std::span<const Slice> slices);
  void splice(ConnId from, ConnId to, std::uint64_t size_bytes);
  [[nodiscard]] std::size_t splices_free() const noexcept { return splices_free_; }
  void shutdown(ConnId id);
  void close(ConnId id);
  /// Time goes to the next event, or by `wait` when there is none until then.
  std::size_t poll(std::span<Completion> done, Duration wait);

  [[nodiscard]] Now now() const noexcept;
  [[nodiscard]] BufferPool& pool() noexcept { return pool_; }
  [[nodiscard]] std::uint32_t connections_max() const noexcept { return options_.connections_max; }
  [[nodiscard]] Waker& waker() noexcept { return waker_; }
  void stop_accepting() noexcept { accepting_ = false; }
  [[nodiscard]] const TransportCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t buffers_lent() const noexcept { return 0; }
  [[nodiscard]] std::uint32_t connections_open() const noexcept;

 private:
  struct Connection {
    std::uint32_t generation = 1;
    SimWire* wire = nullptr;
    bool in_use = false;
    bool connected = false;
    bool wants_receive = false;
    bool wants_shutdown = false;
    bool ended = false;
    bool failed = false;
    bool closing = false;
    bool starved = false;
    Endpoint peer{};
    // The send in flight, and what its bytes were when it began.
    std::vector<Slice> slices{};
    std::size_t sent_bytes = 0;
    std::size_t total_bytes = 0;
    std::uint64_t checksum = 0;
    std::uint64_t turn = 0;
    unsigned turn_receives = 0;
    // The splice that it is an end of, with bytes taken from the one and not yet given to
    // the other. The source has what belongs to both.
    std::uint32_t splice_source = 0xFFFFFFFF;
    std::uint32_t splice_sink = 0xFFFFFFFF;
    std::uint64_t splice_left = 0;
    bool splice_begun = false;
    SimPipe splice_held{};
  };

  struct Event {
    Instant at;
    std::uint64_t order = 0;
    SimWire* wire = nullptr;
    SimStep step{};
    std::uint16_t listener = 0;
    bool operator>(const Event& other) const noexcept {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  class Flag final : public Waker {
   public:
    void wake() noexcept override { raised_.store(true, std::memory_order_release); }
    bool take() noexcept { return raised_.exchange(false, std::memory_order_acquire); }

   private:
    std::atomic<bool> raised_{false};
  };

  [[nodiscard]] Connection* find(ConnId id);
  [[nodiscard]] Connection* owner_of(const SimWire& wire);
  [[nodiscard]] std::uint32_t claim();
  SimWire& add_wire();
  void schedule(SimWire& wire, SimStep step, const Duration* exactly, std::uint16_t listener = 0);
  [[nodiscard]] Duration some_delay();
  [[nodiscard]] std::size_t some_chunk();
  void feed_starved();

  // Each returns true when `out` was filled.
  bool run(const Event& event, Completion& out);
  bool on_arrive(SimWire& wire, std::uint16_t listener, Completion& out);
  bool on_connect(SimWire& wire, Completion& out);
  bool on_read(SimWire& wire, Completion& out);
  bool on_write(SimWire& wire, Completion& out);
  bool on_closed(SimWire& wire, Completion& out);
  bool fill_splice(Connection& source);
  bool drain_splice(SimWire& sink_wire, Completion& out);
  void end_splice(Connection& end);
  bool fail(Connection& connection, int error, Completion& out);
  [[nodiscard]] Completion report(Completion::Kind kind, const Connection& connection) const;

  SimOptions options_;
  SimRandom random_;
  BufferPool pool_;
  Flag waker_;
  Instant now_{1'000'000'000};
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> freed_;  ///< Closed by the last poll; free from the next on.
  std::vector<std::uint32_t> starved_;
  std::vector<std::unique_ptr<SimWire>> wires_;
  std::map<std::string, Server> servers_;
  std::map<std::string, bool> swallowed_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t events_made_ = 0;
  std::size_t splices_free_;
  bool accepting_ = true;
  TransportCounters counters_;
};

}  // namespace sluice::dataplane
