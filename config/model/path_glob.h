// Path globs of rules, cut into segments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::config {

/// What one segment of a glob stands for.
struct GlobSegment {
  enum class Kind : unsigned char {
    literal,      ///< Itself; empty for what is behind a last '/'.
    pattern,      ///< Each '*' in it for any run of bytes but '/'.
    any_segment,  ///< "*": one segment that is not empty.
    any_path,     ///< "**": any number of segments.
  };
  Kind kind;
  std::string_view text;  ///< As written.
};

/// Cuts a glob; at least one segment. The views point into `glob`.
///
/// errors  a glob that no normalised path (parsers/http1/target.h) can match,
///         because a rule that never matches is a rule not enforced.
Result<std::vector<GlobSegment>> parse_glob(std::string_view glob);

}  // namespace sluice::config
