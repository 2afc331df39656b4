// One thread of the load generator: its connections, on a ring of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <vector>

#include "base/result.h"
#include "dataplane/transport/uring_transport.h"
#include "load/driver.h"
#include "load/figures.h"
#include "load/idle_ring.h"
#include "load/schedule.h"
#include "load/timeline.h"

namespace sluice::load {

/// Requests that a closed loop may still send, over all workers.
struct Quota {
  std::atomic<std::uint64_t> requests{UINT64_MAX};

  /// Whether one more request may go.
  bool take() noexcept;
};

/// What all workers share while they run.
struct Shared {
  Quota quota;
  Timeline& timeline;
  std::latch& all_connected;  ///< Nobody begins before everybody's connections stand.
};

/// One worker's share of the plan.
struct Share {
  dataplane::Endpoint peer;
  std::uint32_t number = 0;
  std::uint32_t workers = 1;
  std::uint32_t connections = 1;
  std::uint64_t requests_per_connection = 0;  ///< 0: no end.
  Duration warmup = {};
  Duration duration = {};  ///< 0: until the quota is used up.
  Schedule schedule;
  bool is_open_loop = false;
};

class Worker {
 public:
  static Result<std::unique_ptr<Worker>> make(Share share, const DriverFactory& drivers,
                                              Shared& shared);

  /// Runs to the end on the calling thread.
  void run();

  // Afterwards:
  [[nodiscard]] const Figures& figures() const noexcept { return figures_; }
  [[nodiscard]] Duration elapsed() const noexcept { return elapsed_; }
  [[nodiscard]] Duration cpu() const noexcept { return cpu_; }
  [[nodiscard]] bool ever_connected() const noexcept { return ever_connected_; }

 private:
  struct Connection {
    std::unique_ptr<Driver> driver;
    dataplane::ConnId id;
    Instant since;     ///< Request out: when it was due. Else when connecting began.
    Instant sent_at;   ///< Of the request that is out.
    Instant alarm_at;  ///< Waiting: when to go on.
    std::uint64_t answers = 0;
    bool open = false;  ///< `id` names a connection of the transport.
    bool connected = false;
    bool sending = false;
    bool awaiting = false;  ///< A request is out.
    bool waiting = false;   ///< For `alarm_at`: thinking, or before it connects again.
    bool closing = false;
    bool finished = false;  ///< No quota is left for it.
  };
  struct Alarm {
    Instant at;
    std::uint32_t connection;
    bool operator<(const Alarm& other) const noexcept { return other.at < at; }
  };

  Worker(std::unique_ptr<dataplane::UringTransport> transport, Share share, Shared& shared);

  // worker.cc: the run and its clock.
  void connect_all();
  void begin();
  void turn(Duration wait_max);
  [[nodiscard]] bool is_done() const noexcept;
  [[nodiscard]] bool gives_up() const noexcept;
  [[nodiscard]] Duration wait() const noexcept;
  void end_seconds(Instant now);
  void hand_in_second();
  void send_due(Instant now);
  void ring_alarms(Instant now);
  void count_unanswered();

  // connections.cc: what happens on a connection.
  void on(const dataplane::Completion& done);
  void on_connected(Connection& connection);
  void on_received(Connection& connection, const dataplane::Completion& done);
  void on_answer(Connection& connection, const Answer& answer);
  void on_end(Connection& connection);
  void on_lost(Connection& connection);
  void on_closed(Connection& connection);
  void open(Connection& connection);
  void go_on(Connection& connection);
  void ask(Connection& connection);
  void send(Connection& connection, Instant due);
  void close(Connection& connection);
  void wake_later(Connection& connection, Duration wait);
  [[nodiscard]] Connection* find(dataplane::ConnId id) noexcept;
  [[nodiscard]] std::uint32_t number_of(const Connection& connection) const noexcept;
  [[nodiscard]] Instant now() const noexcept { return transport_->now().monotonic; }

  std::unique_ptr<dataplane::UringTransport> transport_;
  Share share_;
  Shared& shared_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> slots_;  ///< Transport index to connection.
  IdleRing idle_;                     ///< Open loop: those that can take a request at once.
  std::vector<Alarm> alarms_;         ///< A heap, the earliest first.
  std::uint32_t unfinished_ = 0;
  std::uint32_t awaiting_ = 0;
  std::uint32_t unsettled_ = 0;  ///< Connections whose first attempt has no outcome yet.
  bool began_ = false;
  bool all_busy_ = false;  ///< No connection was free when the last turn ended.
  bool ever_connected_ = false;
  std::uint32_t connected_ = 0;
  Instant alone_since_;  ///< When the last connection was lost; meaningful while there is none.

  Instant counting_from_;
  Instant ends_at_;
  Instant second_ends_at_;
  Tick tick_;
  Figures figures_;
  Duration elapsed_;
  Duration cpu_;
};

}  // namespace sluice::load
