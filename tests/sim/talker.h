// A simulated client that says what it is told to, whenever.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "dataplane/transport/sim_peer.h"

namespace sluice::dataplane {

class Talker final : public SimPeer {
 public:
  explicit Talker(std::string first) : first_(std::move(first)) {}

  void on_connected(SimRemote& remote) override {
    remote_ = &remote;
    say(first_);
  }
  void on_bytes(SimRemote& /*remote*/, ByteView bytes) override { heard_ += as_text(bytes); }
  void say(std::string_view text) { remote_->send(as_bytes(text)); }
  void leave() { remote_->reset(); }
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  SimRemote* remote_ = nullptr;
  std::string first_;
  std::string heard_;
};

}  // namespace sluice::dataplane
