// A simulated client: sends its operations and keeps what came back.
#pragma once

#include <string>
#include <vector>

#include "dataplane/transport/sim_peer.h"
#include "message_reader.h"
#include "payments.h"

namespace sluice::dataplane {

class ScriptedClient final : public SimPeer {
 public:
  enum class Manner : std::uint8_t { one_by_one, pipelined };

  /// introduction  what a proxy in front of it sends first.
  ScriptedClient(std::vector<Operation> operations, std::string key, Manner manner,
                 std::string introduction = {})
      : operations_(std::move(operations)),
        key_(std::move(key)),
        manner_(manner),
        introduction_(std::move(introduction)) {}

  void on_connected(SimRemote& remote) override;
  void on_bytes(SimRemote& remote, ByteView bytes) override;
  void on_finished(SimRemote& remote) override;
  void on_reset(SimRemote& remote) override;

  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }
  /// Final responses in order; shorter than operations() when the connection ended.
  [[nodiscard]] const std::vector<PlainMessage>& responses() const { return responses_; }
  /// Bytes of a response that never became whole.
  [[nodiscard]] const std::string& rest() const { return reader_.rest(); }
  [[nodiscard]] bool is_over() const { return over_; }

 private:
  void send_next(SimRemote& remote);
  void read(SimRemote& remote, bool closed);

  std::vector<Operation> operations_;
  std::string key_;
  Manner manner_;
  std::string introduction_;
  std::size_t sent_ = 0;
  std::vector<PlainMessage> responses_;
  MessageReader reader_;
  bool over_ = false;
};

}  // namespace sluice::dataplane
