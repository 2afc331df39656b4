// The seam for protocols: what one connection of the load generator says and
// when it has its answer. Sans-IO; the worker owns sockets and clocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"

namespace sluice::load {

inline constexpr std::uint16_t no_check = UINT16_MAX;

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
  std::uint16_t failed_check = no_check;  ///< Of DriverFactory::check_names().
};

/// One request at a time: the next is asked for when the last one's answer is complete.
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
  /// How long a closed loop waits after an answer before it asks for the next request.
  virtual Duration think_time() { return {}; }
  virtual Answer on_bytes(ByteView in) = 0;
  /// The peer closed while an answer was awaited.
  virtual Answer on_close() = 0;
};

/// Makes one driver per connection; called from one thread.
class DriverFactory {
 public:
  DriverFactory() = default;
  DriverFactory(const DriverFactory&) = delete;
  DriverFactory& operator=(const DriverFactory&) = delete;
  virtual ~DriverFactory() = default;
  [[nodiscard]] virtual std::unique_ptr<Driver> make_driver(std::uint64_t connection) const = 0;
  /// What answers are checked for; names for the report.
  [[nodiscard]] virtual std::vector<std::string> check_names() const { return {}; }
};

}  // namespace sluice::load
