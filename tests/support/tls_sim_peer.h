// A simulated peer that speaks TLS: the script within it sees plaintext.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "dataplane/tls/tls_stream.h"
#include "dataplane/transport/sim_peer.h"

namespace sluice::test {

class TlsSimPeer final : public dataplane::SimPeer, private dataplane::SimRemote {
 public:
  /// The script outlives it. It hears of the connection once the handshake is over.
  TlsSimPeer(dataplane::SimPeer& script, std::shared_ptr<const dataplane::TlsContext> context,
             const std::string& peer_name = {})
      : script_(script), stream_(std::move(context), peer_name) {}

  [[nodiscard]] const dataplane::TlsStream& stream() const { return stream_; }
  /// Ends the connection below, without saying so inside of TLS.
  void cut_off() { remote_->finish(); }
  /// Bytes on the connection below, past TLS.
  void forge(std::string_view bytes) { remote_->send(as_bytes(bytes)); }
  /// The gateway's end came without a close_notify.
  [[nodiscard]] bool was_truncated() const { return was_truncated_; }

  void on_connected(dataplane::SimRemote& remote) override {
    remote_ = &remote;
    read({});
  }
  void on_bytes(dataplane::SimRemote& remote, ByteView bytes) override {
    remote_ = &remote;
    read(bytes);
  }
  void on_drained(dataplane::SimRemote& /*remote*/) override {
    if (has_begun_) script_.on_drained(*this);
  }
  void on_finished(dataplane::SimRemote& /*remote*/) override {
    if (is_over_) return;
    was_truncated_ = true;
    end_by_reset();
  }
  void on_reset(dataplane::SimRemote& /*remote*/) override { end_by_reset(); }
  void on_alarm(dataplane::SimRemote& /*remote*/) override { script_.on_alarm(*this); }

 private:
  using State = dataplane::TlsStream::State;

  void read(ByteView bytes) {
    // What one call takes need not be all, and what it gives may fill the room.
    for (;;) {
      std::array<std::uint8_t, 4096> plain;
      std::array<std::uint8_t, 64 * 1024> room;
      dataplane::TlsOutput out{room};
      const auto done = stream_.read(bytes, plain, out);
      bytes = bytes.subspan(done.taken_bytes);
      if (out.size_bytes != 0) remote_->send(out.bytes());
      if (stream_.state() == State::failed) {
        remote_->finish();
        return end_by_reset();
      }
      if (stream_.state() == State::open && !has_begun_) {
        has_begun_ = true;
        script_.on_connected(*this);
      }
      if (done.plain_bytes != 0) script_.on_bytes(*this, {plain.data(), done.plain_bytes});
      if (stream_.has_peer_ended() && !is_over_) {
        is_over_ = true;
        script_.on_finished(*this);
      }
      if (done.taken_bytes == 0 && done.plain_bytes == 0) return;
    }
  }

  void end_by_reset() {
    if (std::exchange(is_over_, true)) return;
    script_.on_reset(*this);
  }

  void send(ByteView bytes) override {
    while (!bytes.empty() && stream_.state() == State::open) {
      std::array<std::uint8_t, 32 * 1024> room;
      dataplane::TlsOutput out{room};
      const std::size_t taken = stream_.write(bytes, out);
      bytes = bytes.subspan(taken);
      remote_->send(out.bytes());
    }
  }
  void finish() override {
    if (std::exchange(has_finished_, true) || stream_.state() != State::open) return;
    std::array<std::uint8_t, 1024> room;
    dataplane::TlsOutput out{room};
    stream_.end(out);
    remote_->send(out.bytes());
    remote_->finish();
  }
  void reset() override { remote_->reset(); }
  void pause() override { remote_->pause(); }
  void resume() override { remote_->resume(); }
  void alarm(Duration delay) override { remote_->alarm(delay); }
  [[nodiscard]] Instant now() const override { return remote_->now(); }

  dataplane::SimPeer& script_;
  dataplane::TlsStream stream_;
  dataplane::SimRemote* remote_ = nullptr;
  bool has_begun_ = false;
  bool is_over_ = false;
  bool has_finished_ = false;
  bool was_truncated_ = false;
};

}  // namespace sluice::test
