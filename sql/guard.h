// Keeps from the parser what would cost it more stack or memory than the text is
// worth. Internal to sql.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sql/analysis.h"

namespace sluice::sql {

/// An error when the text is malformed or exceeds a limit.
Result<void> check_limits(std::string_view text, LexerOptions options,
                          const AnalysisLimits& limits);

}  // namespace sluice::sql
