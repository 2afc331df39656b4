// One connection's bytes, in both directions, for a thread that may block.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "control/descriptor.h"

namespace sluice::control {

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  /// Appends what comes next. 0: the peer has said that no more comes.
  virtual Result<std::size_t> read(std::string& unread) = 0;
  virtual Result<void> write(ByteView bytes) = 0;
  /// Says that no more will be written.
  virtual void end() = 0;
};

/// In clear, by the socket itself.
class SocketChannel final : public Channel {
 public:
  /// socket  borrowed; blocks for as long as its own timeouts say, until there is a limit.
  /// stop    null, or a borrowed descriptor that is readable from when no more is to be read.
  explicit SocketChannel(const Descriptor& socket, const Descriptor* stop = nullptr)
      : socket_(socket), stop_(stop) {}

  /// What is read and written from now on is to be done in so much time, all of it: a peer that
  /// sends a byte now and then gains nothing by it.
  void limit(Duration whole);

  Result<std::size_t> read(std::string& unread) override;
  Result<void> write(ByteView bytes) override;
  void end() override;

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] Result<void> await(short events, const Descriptor* stop) const;

  const Descriptor& socket_;
  const Descriptor* stop_;
  std::optional<Clock::time_point> until_;
};

}  // namespace sluice::control
