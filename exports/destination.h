// Where an export goes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "exports/exported_record.h"

namespace sluice::exports {

class Destination {
 public:
  virtual ~Destination() = default;
  /// A record's line as the destination takes it, behind others.
  [[nodiscard]] virtual std::string frame(const ExportedRecord& record, std::string line) const = 0;
  /// Returns when all of it has arrived, as far as the destination tells. After an error any
  /// part of it may have: the caller sends the same bytes again. May take seconds.
  [[nodiscard]] virtual Result<void> send(std::string_view frames) = 0;
};

}  // namespace sluice::exports
