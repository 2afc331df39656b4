// What the command line asks of the log, as a query.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "audit/record_filter.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::cli {

/// As it was written; what is empty does not restrict.
struct QueryWords {
  std::string from = {};  ///< RFC 3339, or an age such as "15m".
  std::string until = {};
  std::string record = {};  ///< The id that a refusal shows.
  std::string principal = {};
  std::string target = {};
  std::string rule = {};
  std::string ruling = {};
  std::optional<std::uint64_t> session = {};
};

/// errors   words for the operator.
Result<audit::RecordQuery> parse_query(const QueryWords& words, WallTime now);

}  // namespace sluice::cli
