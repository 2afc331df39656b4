// Path globs of rules, turned into anchored regular expressions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::config {

/// How a glob treats spellings that some servers take for the same resource.
enum class GlobReading : unsigned char {
  exact,  ///< For allow: nothing but what is written.
  wide,  ///< For deny and hold: case, path parameters (";…") and one trailing slash do not evade.
};

/// The glob as an expression in Hyperscan's syntax, anchored at both ends.
///
/// '*' stands for any run within a segment ('*' alone: a non-empty segment);
/// '**' as a whole segment for any number of segments; everything else for
/// itself. A trailing "/**" also covers the path before it.
///
/// errors  a glob that no normalised path (parsers/http1/target.h) can match,
///         because a rule that never matches is a rule not enforced.
Result<std::string> glob_expression(std::string_view glob, GlobReading reading);

/// `text` with every character that an expression could take for syntax escaped.
std::string escaped_literal(std::string_view text);

}  // namespace sluice::config
