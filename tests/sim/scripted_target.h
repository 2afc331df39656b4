// The simulated payment API: answers operations by the id in their path.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/transport/sim_peer.h"
#include "dataplane/transport/sim_random.h"
#include "message_reader.h"
#include "payments.h"

namespace sluice::dataplane {

/// What the target saw, for the oracles.
struct TargetLog {
  struct Seen {
    std::string id;
    std::string head;
    std::string body;
  };
  std::vector<Seen> seen;
  std::vector<std::string> unexpected;  ///< Requests for no known operation.
};

/// One connection to the target.
class ScriptedTarget final : public SimPeer {
 public:
  ScriptedTarget(const std::map<std::string, Operation>& operations, TargetLog& log,
                 SimRandom& random, bool is_flaky)
      : operations_(operations), log_(log), random_(random), is_flaky_(is_flaky) {}

  void on_bytes(SimRemote& remote, ByteView bytes) override;
  void on_finished(SimRemote& remote) override { remote.finish(); }
  void on_alarm(SimRemote& remote) override;

 private:
  void answer(SimRemote& remote, const std::string& head, const std::string& body);

  const std::map<std::string, Operation>& operations_;
  TargetLog& log_;
  SimRandom& random_;
  bool is_flaky_;
  bool continued_ = false;
  MessageReader reader_;
};

}  // namespace sluice::dataplane
