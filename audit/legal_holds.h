// Legal holds: times whose records retention must not remove. They lie in a file beside the
// log, and each change of it is a record of the log before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "audit/file.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr std::string_view legal_holds_name = "legal-holds";
inline constexpr std::size_t legal_hold_reason_bytes_max = 200;
inline constexpr std::size_t legal_holds_max = 50;  // They fit a small file.

/// Whether it is one line that a person can read, and not too long.
bool is_reason(std::string_view text) noexcept;

struct LegalHold {
  std::uint64_t id = 0;
  std::uint64_t from_ns = 0;
  std::uint64_t until_ns = std::numeric_limits<std::uint64_t>::max();  ///< Not included.
  std::string reason;  ///< One line of visible text.

  /// Whether it is about any of the times from `first_ns` to `last_ns`.
  [[nodiscard]] bool covers(std::uint64_t first_ns, std::uint64_t last_ns) const noexcept {
    return from_ns <= last_ns && first_ns < until_ns;
  }
  friend bool operator==(const LegalHold&, const LegalHold&) = default;
};

/// "legal hold 3 by user 1000, from 2026-11-01T00:00:00Z until further notice: why"
std::string text_of(const LegalHold& hold, std::string_view by);

struct LegalHolds {
  std::uint64_t next_id = 1;  ///< None is given twice.
  std::vector<LegalHold> list;

  friend bool operator==(const LegalHolds&, const LegalHolds&) = default;
};

/// None where there is no file.
/// errors   it cannot be read, or is not of this form: then nothing may be removed.
Result<LegalHolds> read_legal_holds(const std::filesystem::path& directory);
/// Durable once this returns.
Result<void> write_legal_holds(Disk& disk, const std::filesystem::path& directory,
                               const LegalHolds& holds);

}  // namespace sluice::audit
