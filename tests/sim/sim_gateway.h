// The real loop, sessions and audit log on the simulated transport.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scripted_client.h"
#include "scripted_target.h"
#include "sim_worker.h"
#include "tls_sim_peer.h"

namespace sluice::dataplane {

/// What the gateway is put into, besides the network.
struct SimScene {
  bool flaky_target = false;
  bool durable = false;
  bool long_bodies = false;  ///< That no mask looks at.
  bool tls_clients = false;
  bool tls_target = false;
  bool people = false;  ///< Some of what is asked for waits for them.
};

class SimGateway {
 public:
  explicit SimGateway(const SimOptions& options, const SimScene& scene = {},
                      const SimLog& log = {});

  /// A client with `count` random operations, coming after a random while.
  ScriptedClient& add_client(std::size_t count);
  /// Runs until every client is done. False when that takes too long.
  [[nodiscard]] bool run();
  [[nodiscard]] bool run_until(const std::function<bool()>& is_done) {
    return worker_.run_until([this, &is_done] {
      hand_out_letters();
      return is_done();
    });
  }
  /// Posts the same configuration without the client's key, as a reload would.
  void reload_without_keys();
  /// Stops the loop and closes the log; afterwards holds and log can be judged.
  void stop() { worker_.stop(); }

  /// How each request ended that people were asked about, by its operation's id.
  [[nodiscard]] const std::multimap<std::string, config::HoldEnd>& ended_holds() const {
    return ended_holds_;
  }
  /// How many requests people were asked about.
  [[nodiscard]] std::size_t asked() const { return asked_.size(); }
  [[nodiscard]] const TargetLog& target_log() const { return target_log_; }
  /// Clients that speak TLS, in the order of clients().
  [[nodiscard]] const std::vector<std::unique_ptr<test::TlsSimPeer>>& tls_clients() const {
    return tls_clients_;
  }
  [[nodiscard]] const std::vector<std::unique_ptr<ScriptedClient>>& clients() const {
    return clients_;
  }
  [[nodiscard]] SimRandom& random() { return random_; }
  [[nodiscard]] SimTransport& transport() { return worker_.transport(); }
  [[nodiscard]] audit::VerifyReport verify_log() const { return worker_.verify_log(); }
  [[nodiscard]] std::vector<std::string> records() const { return worker_.records(); }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] SimWorker& worker() { return worker_; }
  [[nodiscard]] const SimWorker& worker() const { return worker_; }

 private:
  void hold(ConnId client, const config::HeldOperation& what);
  void hand_out_letters();

  SimScene scene_;
  SimRandom random_;
  std::string key_;
  std::map<std::string, Operation> operations_;
  TargetLog target_log_;
  std::vector<std::unique_ptr<ScriptedTarget>> targets_;
  std::vector<std::unique_ptr<ScriptedClient>> clients_;
  std::vector<std::unique_ptr<test::TlsSimPeer>> tls_targets_;
  std::vector<std::unique_ptr<test::TlsSimPeer>> tls_clients_;
  std::vector<std::pair<Instant, WorkerMail>> letters_;  ///< And when each comes.
  std::map<std::string, std::string> asked_;             ///< Requests, and their operation's id.
  std::multimap<std::string, config::HoldEnd> ended_holds_;
  SimWorker worker_;
};

}  // namespace sluice::dataplane
