// The real loop, sessions and audit log on the simulated transport.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/log.h"
#include "audit/verify.h"
#include "base/mailbox.h"
#include "dataplane/loop.h"
#include "dataplane/transport/sim_transport.h"
#include "scripted_client.h"
#include "scripted_target.h"
#include "temporary_folder.h"

namespace sluice::dataplane {

class SimGateway {
 public:
  explicit SimGateway(const SimOptions& options, bool flaky_target = false, bool durable = false);
  ~SimGateway();

  /// A client with `count` random operations, coming after a random while.
  ScriptedClient& add_client(std::size_t count);
  /// Runs until every client is done. False when that takes too long.
  [[nodiscard]] bool run();
  [[nodiscard]] bool run_until(const std::function<bool()>& is_done);
  /// Posts the same configuration without the client's key, as a reload would.
  void reload_without_keys();
  /// Stops the loop and closes the log; afterwards holds and log can be judged.
  void stop();

  [[nodiscard]] const TargetLog& target_log() const { return target_log_; }
  [[nodiscard]] const std::vector<std::unique_ptr<ScriptedClient>>& clients() const {
    return clients_;
  }
  [[nodiscard]] SimRandom& random() { return random_; }
  [[nodiscard]] SimTransport& transport() { return transport_; }
  [[nodiscard]] WorkerMetrics& metrics() { return *metrics_; }
  [[nodiscard]] audit::VerifyReport verify_log() const;
  /// Every record, as JSON.
  [[nodiscard]] std::vector<std::string> records() const;
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  test::TemporaryFolder folder_;
  SimRandom random_;
  SimTransport transport_;
  std::string key_;
  std::string verifier_;
  std::map<std::string, Operation> operations_;
  TargetLog target_log_;
  std::vector<std::unique_ptr<ScriptedTarget>> targets_;
  std::vector<std::unique_ptr<ScriptedClient>> clients_;
  std::unique_ptr<WorkerMetrics> metrics_ = std::make_unique<WorkerMetrics>();
  Mailbox<WorkerMail> mailbox_;
  bool durable_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Loop<SimTransport>> loop_;
};

}  // namespace sluice::dataplane
