// Scripted ends of simulated connections: the clients and targets of a test.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/instant.h"

namespace sluice::dataplane {

/// What a scripted peer can do with its connection. Calls after its end are ignored.
class SimRemote {
 public:
  virtual ~SimRemote() = default;
  /// Queues bytes; the network takes them as the window allows.
  virtual void send(ByteView bytes) = 0;
  /// Sends no more once what was queued has gone (FIN).
  virtual void finish() = 0;
  /// Breaks the connection at once (RST).
  virtual void reset() = 0;
  /// Stops and goes on reading: what is not read fills the window.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// Calls on_alarm after `delay`.
  virtual void alarm(Duration delay) = 0;
  [[nodiscard]] virtual Instant now() const = 0;
};

/// A script. It outlives the transport; callbacks come from inside poll.
class SimPeer {
 public:
  virtual ~SimPeer() = default;
  virtual void on_connected(SimRemote& /*remote*/) {}
  virtual void on_bytes(SimRemote& remote, ByteView bytes) = 0;
  /// All bytes that were queued have left: time to send more of something long.
  virtual void on_drained(SimRemote& /*remote*/) {}
  /// The gateway will send no more.
  virtual void on_finished(SimRemote& /*remote*/) {}
  /// The connection broke, or was never accepted. Nothing follows.
  virtual void on_reset(SimRemote& /*remote*/) {}
  virtual void on_alarm(SimRemote& /*remote*/) {}
};

}  // namespace sluice::dataplane
