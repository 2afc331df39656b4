// The gateway between simulated clients and a simulated PostgreSQL server.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client.h"
#include "configuration.h"
#include "sim_worker.h"
#include "target.h"
#include "tls_upgrade_sim_peer.h"

namespace sluice::dataplane::postgres_sim {

struct GatewayOptions {
  SimOptions network;
  TargetOptions target;
  Setup setup;
  std::size_t ring_bytes = 0;   ///< Of the audit log; see SimLog.
  audit::Disk* disk = nullptr;  ///< Of the audit log; see SimLog.
  bool durable = false;
  bool reloads = false;  ///< Other rules and masks, now and then.
  bool drains = false;
  /// The log's disk, now and then, for longer than anybody waits.
  bool sticks = false;
  bool fills = false;  ///< Others leave the log no room while its disk is stuck.
};

class Gateway {
 public:
  explicit Gateway(const GatewayOptions& options);

  /// Comes after a random while.
  void add_client(const ScriptOptions& options);
  /// Until every client is done and nobody uses the connections to the target any more;
  /// false when that takes too long.
  [[nodiscard]] bool run();
  /// Between two turns of the worker.
  void disturb();
  void stop() { worker_.stop(); }

  [[nodiscard]] const std::vector<std::unique_ptr<Client>>& clients() const { return clients_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Canceller>>& cancellers() const {
    return cancellers_;
  }
  /// Of clients, cancellers and the target, those who speak TLS.
  [[nodiscard]] const std::deque<test::TlsUpgradeSimPeer>& tls_peers() const { return tls_peers_; }
  [[nodiscard]] const Database& database() const { return database_; }
  [[nodiscard]] SimWorker& worker() { return worker_; }
  [[nodiscard]] const SimWorker& worker() const { return worker_; }
  [[nodiscard]] const std::vector<Instant>& reloads() const { return reloads_; }
  [[nodiscard]] const GatewayOptions& options() const { return options_; }
  /// Connections to the target, at any one time.
  [[nodiscard]] std::uint64_t upstreams_max() const { return upstreams_max_; }

  /// What waited for people, as they see it.
  struct Request {
    ConnId client;
    config::HeldOperation what;
    bool is_approved = false;  ///< With the binding that was shown.
    std::optional<config::HoldEnd> end;
  };
  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }

 private:
  void bring(SimPeer& peer, Duration after, Client* client);
  [[nodiscard]] SimPeer* serve();
  void bring_canceller(const CancelTicket& ticket);
  void prove(const ProofRequest& request);
  void hold(ConnId client, config::HeldOperation what);
  void end_hold(const std::string& request, config::HoldEnd how);
  void answer_later(const Request& request, config::HoldAnswer::Kind kind, Duration within);
  void move_disk();
  /// Afterwards the log's disk does not stick any more.
  [[nodiscard]] Instant stuck_until() const { return reloads_.front() + seconds(60); }
  void hand_out_letters();
  [[nodiscard]] std::uint64_t durable_through() {
    return worker_.log().worker(0).durable_through();
  }

  GatewayOptions options_;
  SimRandom random_;
  Database database_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Canceller>> cancellers_;
  std::deque<test::TlsUpgradeSimPeer> tls_peers_;
  std::vector<Instant> reloads_;  ///< When each one was confirmed; the first is the start.
  Instant next_disturbance_;
  std::uint64_t upstreams_max_ = 0;
  std::vector<std::pair<Instant, WorkerMail>> letters_;  ///< And when each comes.
  std::vector<Request> requests_;
  bool is_stuck_ = false;
  Instant sticks_until_;
  SimWorker worker_;
};

}  // namespace sluice::dataplane::postgres_sim
