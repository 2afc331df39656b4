// Reading a record back: the few members that the writer needs, fast, and the
// whole as JSON.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

/// The members that every record begins with.
struct RecordOrigin {
  std::uint64_t time_ns = 0;
  std::uint64_t epoch = 0;
  std::uint64_t worker = 0;
  std::uint64_t sequence = 0;
};

/// nothing  the bytes do not begin like a record.
std::optional<RecordOrigin> origin_of(ByteView record) noexcept;

}  // namespace sluice::audit
