// The seam for protocols: what one connection of the load generator says and
// when it has its answer. Sans-IO; the worker owns sockets and clocks.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace sluice::load {

/// What received bytes amounted to.
struct Answer {
  enum class Kind : std::uint8_t {
    incomplete,  ///< More bytes are awaited.
    complete,    ///< One answer is whole; the next request may go.
    broken,      ///< The peer does not speak the protocol.
  };
  Kind kind = Kind::incomplete;
  std::uint16_t status = 0;      ///< In the protocol's own terms; for the table of results.
  bool connection_ends = false;  ///< The peer will take no further request here.
};

/// Closed loop: one request at a time.
class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  /// A new connection begins; whatever the last one left is forgotten.
  virtual void start() = 0;
  /// The next request's bytes; they stay until its answer is complete.
  virtual ByteView next_request() = 0;
  virtual Answer on_bytes(ByteView in) = 0;
  /// The peer closed while an answer was awaited.
  virtual Answer on_close() = 0;
};

/// Makes one driver per connection; called from every worker's thread.
class DriverFactory {
 public:
  DriverFactory() = default;
  DriverFactory(const DriverFactory&) = delete;
  DriverFactory& operator=(const DriverFactory&) = delete;
  virtual ~DriverFactory() = default;
  [[nodiscard]] virtual std::unique_ptr<Driver> make() const = 0;
};

}  // namespace sluice::load
