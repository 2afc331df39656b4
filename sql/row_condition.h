// Whether a WHERE clause can tell rows apart. Internal to sql.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sql/scope.h"

namespace sluice::sql {

struct RowCondition {
  /// Some row of the target may fail it and another pass, as far as the text shows.
  bool tells_rows_apart = false;
  bool literals_matter = false;  ///< A constant's value decided.
};

/// tree   the condition; null: there is none.
/// scope  whose first source is the relation that is written.
RowCondition row_condition(const nlohmann::json& tree, const Scope& scope);

}  // namespace sluice::sql
