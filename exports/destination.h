// Where an export goes.
#pragma once

#include <cstdint>
#include <string>

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

class Destination {
 public:
  virtual ~Destination() = default;
  [[nodiscard]] virtual Batching batching() const { return {}; }
  /// A record's line as the destination takes it, behind others.
  [[nodiscard]] virtual std::string frame(const ExportedRecord& record, std::string line) const = 0;
  /// Returns when all of it has arrived, as far as the destination tells. After an error any
  /// part of it may have: the caller sends the same batch again. May take seconds.
  [[nodiscard]] virtual Result<void> send(const Batch& batch) = 0;
};

}  // namespace sluice::exports
