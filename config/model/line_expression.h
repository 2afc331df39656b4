// A header rule's expression, confined to the one line it is about.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::config {

/// Header fields are scanned as lines "name: value\n" in one run of text, so an
/// expression on a value must neither start nor run into another line. Whatever
/// could match a line end ('.', "\s", "[^a]" …) is rewritten so that it can't;
/// '^' and '$' come to mean the value's ends.
///
/// name     any case; the result looks for it in lower case.
/// pattern  searched anywhere in the value unless it starts with '^'.
/// errors   syntax whose confinement cannot be shown; the rule would be a hole.
Result<std::string> line_expression(std::string_view name, std::string_view pattern);

}  // namespace sluice::config
