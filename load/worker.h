// One thread of the load generator: its connections, on a ring of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "dataplane/transport/uring_transport.h"
#include "load/driver.h"
#include "load/report.h"

namespace sluice::load {

/// What all workers share while they run.
struct Quota {
  Duration duration;                                ///< 0: until `requests` are used up.
  std::atomic<std::uint64_t> requests{UINT64_MAX};  ///< Still to be sent.

  /// Whether one more request may go.
  bool take() noexcept;
};

class Worker {
 public:
  static Result<std::unique_ptr<Worker>> make(const dataplane::Endpoint& peer,
                                              std::uint32_t connections,
                                              const DriverFactory& drivers, Quota& quota);

  /// Runs to the end of the quota on the calling thread.
  void run();
  [[nodiscard]] const Report& report() const noexcept { return report_; }

 private:
  struct Connection {
    std::unique_ptr<Driver> driver;
    dataplane::ConnId id;
    Instant sent_at;
    Instant retry_at;
    bool open = false;  ///< `id` names a connection of the transport.
    bool sending = false;
    bool awaiting = false;  ///< A request is out.
    bool closing = false;
    bool finished = false;  ///< No quota is left for it.
  };

  Worker(std::unique_ptr<dataplane::UringTransport> transport, const dataplane::Endpoint& peer,
         Quota& quota);

  void on(const dataplane::Completion& done);
  void on_received(Connection& connection, const dataplane::Completion& done);
  void on_answer(Connection& connection, const Answer& answer);
  void on_lost(Connection& connection);
  void on_closed(Connection& connection);
  void open(Connection& connection);
  void ask(Connection& connection);
  void close(Connection& connection);
  void retry(Instant now);
  [[nodiscard]] Connection* find(dataplane::ConnId id) noexcept;

  std::unique_ptr<dataplane::UringTransport> transport_;
  dataplane::Endpoint peer_;
  Quota& quota_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> slots_;  ///< Transport index to connection.
  std::uint32_t waiting_ = 0;         ///< Connections that will try again.
  std::uint32_t unfinished_ = 0;
  Report report_;
};

}  // namespace sluice::load
