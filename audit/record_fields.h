// The members of a record that searches and checks ask for, as views into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace sluice::audit {

/// An absent member is 0 or empty, as in the grammar.
struct RecordFields {
  std::uint64_t time_ns = 0;
  std::uint64_t epoch = 0;
  std::uint64_t worker = 0;
  std::uint64_t sequence = 0;
  std::uint64_t phase = 0;
  std::uint64_t session = 0;
  std::uint64_t operation = 0;
  std::uint64_t ruling = 0;
  std::string_view subject;
  std::string_view target;
  std::string_view rule;
  std::string_view event;
  std::string_view detail;
  std::string_view recording;
  ByteView policy;
};

/// nothing   not a map with ascending keys of this grammar.
std::optional<RecordFields> fields_of(ByteView record) noexcept;

}  // namespace sluice::audit
