// The far ends of a contract test: the same script drives a real socket or a
// simulated peer.
#pragma once

#include <string>
#include <string_view>

#include "dataplane/transport/sim_peer.h"

namespace sluice::dataplane {

class Far {
 public:
  Far() = default;
  Far(const Far&) = delete;
  Far& operator=(const Far&) = delete;
  virtual ~Far() = default;

  virtual void send(std::string_view bytes) = 0;
  virtual void finish() = 0;
  virtual void reset() = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;

  std::string received;
  bool ended = false;   ///< The gateway will send no more.
  bool broken = false;  ///< Reset, or never accepted.
};

class SimFar final : public Far, public SimPeer {
 public:
  void send(std::string_view bytes) override {
    act([=](SimRemote& r) { r.send(as_bytes(bytes)); }, bytes);
  }
  void finish() override {
    finishes_ = true;
    if (remote_ != nullptr) remote_->finish();
  }
  void reset() override {
    if (remote_ != nullptr) remote_->reset();
  }
  void pause() override {
    paused_ = true;
    if (remote_ != nullptr) remote_->pause();
  }
  void resume() override {
    paused_ = false;
    if (remote_ != nullptr) remote_->resume();
  }

  void on_connected(SimRemote& remote) override {
    remote_ = &remote;
    if (paused_) remote.pause();
    remote.send(as_bytes(early_));
    if (finishes_) remote.finish();
  }
  void on_bytes(SimRemote& /*remote*/, ByteView bytes) override { received += as_text(bytes); }
  void on_finished(SimRemote& /*remote*/) override { ended = true; }
  void on_reset(SimRemote& /*remote*/) override { broken = true; }

 private:
  template <class Action>
  void act(Action action, std::string_view early) {
    if (remote_ != nullptr) return action(*remote_);
    early_ += early;
  }

  SimRemote* remote_ = nullptr;
  std::string early_;  ///< Said before the connection stood.
  bool finishes_ = false;
  bool paused_ = false;
};

/// A non-blocking TCP socket; pump() moves what can be moved.
class SocketFar final : public Far {
 public:
  explicit SocketFar(int fd) : fd_(fd) {}
  ~SocketFar() override;

  void send(std::string_view bytes) override { out_ += bytes; }
  void finish() override { finishes_ = true; }
  void reset() override;
  void pause() override { paused_ = true; }
  void resume() override { paused_ = false; }
  void pump();

 private:
  void pump_out();
  void pump_in();

  int fd_;
  std::string out_;
  std::size_t gone_ = 0;
  bool finishes_ = false;
  bool finished_ = false;
  bool paused_ = false;
};

}  // namespace sluice::dataplane
