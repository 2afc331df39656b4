// How far an export has come, in a file that survives the gateway and a loss of power.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "audit/sha256.h"
#include "base/result.h"

namespace sluice::exports {

struct Cursor {
  std::uint64_t next = 0;  ///< Index of the first record that was not exported.
  audit::Hash last{};      ///< Of the record before it, as a leaf; zeros at 0.
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// nothing  there is none yet.
/// errors   it cannot be read, or is no cursor.
Result<std::optional<Cursor>> read_cursor(const std::filesystem::path& path);
/// Takes the old one's place as a whole, synced.
Result<void> write_cursor(const std::filesystem::path& path, const Cursor& cursor);

}  // namespace sluice::exports
