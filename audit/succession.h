// A log that ends, and another that begins behind it: the operator's answer to a log that
// does not add up any more, or whose key is to go. The first record of the new one is a
// discontinuity that says what it stands behind.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "audit/keys.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr const char* predecessor_name = "predecessor";

/// The log before. No member but the last has a line end.
struct Predecessor {
  std::string place;      ///< Name of its directory, beside the new one's.
  std::string condition;  ///< What `sluice verify` says of it.
  std::string reason;     ///< The operator's.
  std::string
      checkpoint;  ///< Its newest, with its signature; empty if it has none that can be read.
};

/// Puts the directory's log aside, under a name with the time, and an empty directory in its
/// place that knows of it. In one step: killed or without power, it is done or it is not.
///
/// next      the key that signs the new log: of another origin, since under one origin there
///           are no two logs.
/// reason    one line.
/// errors    a gateway has it open; a start would have to take over records from its rings
///           first; nothing is changed.
Result<Predecessor> begin_epoch(const std::filesystem::path& directory, const Verifier& next,
                                const std::string& reason, WallTime now);

/// What the log in `directory` stands behind; nothing for one that stands behind none.
Result<std::optional<Predecessor>> predecessor_of(const std::filesystem::path& directory);

}  // namespace sluice::audit
