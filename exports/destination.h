// Where an export goes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/instant.h"
#include "base/result.h"
#include "exports/exported_record.h"

namespace sluice::exports {

/// Records that leave together.
struct Batch {
  std::string frames;
  std::uint64_t first = 0;  ///< Index of the first one.
  std::size_t records = 0;
  std::uint64_t oldest_ns = 0;  ///< When the first one was made.
};

/// When a batch is sent.
struct Batching {
  std::size_t records_max = 1000;
  std::size_t bytes_max = std::size_t{1} << 20;  ///< May be exceeded by a record.
  Duration linger{};                             ///< How long a smaller one waits for more.
};

/// Why a batch has not arrived.
struct SendError {
  // NOLINTNEXTLINE(google-explicit-constructor): most failures are words, and are tried again.
  SendError(Error why, Duration wait = {}) : message(std::move(why.message)), retry_after(wait) {}

  std::string message;
  Duration retry_after;   ///< The destination wants to be left alone for so long; 0: not said.
  bool is_final = false;  ///< It will never take this batch: sending it again is no use.
};

inline tl::unexpected<SendError> fail_for_good(std::string message) {
  SendError error(Error{std::move(message)});
  error.is_final = true;
  return tl::unexpected(std::move(error));
}

class Destination {
 public:
  virtual ~Destination() = default;
  [[nodiscard]] virtual Batching batching() const { return {}; }
  /// A record's line as the destination takes it, behind others.
  [[nodiscard]] virtual std::string frame(const ExportedRecord& record, std::string line) const = 0;
  /// Returns when all of it has arrived, as far as the destination tells. After an error any
  /// part of it may have: the caller sends the same batch again, unless the error is final.
  /// May take seconds.
  [[nodiscard]] virtual Result<void, SendError> send(const Batch& batch) = 0;
};

}  // namespace sluice::exports
