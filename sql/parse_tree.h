// libpg_query: PostgreSQL 15's own parser. Internal to sql.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace sluice::sql {

/// The statements of a text, as libpg_query writes parse trees in JSON. Each thread
/// that calls this keeps the library's memory until it exits.
///
/// text  checked by check_limits().
Result<nlohmann::json> parse_tree(const std::string& text);

}  // namespace sluice::sql
