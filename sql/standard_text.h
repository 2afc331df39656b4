// A text in the parser's own string syntax. Internal to sql.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/lexer.h"

namespace sluice::sql {

/// Between tokens stand only blanks: a comment there makes the library, not the server,
/// miss words that belong together (NOT … IN), and a line break would join two strings
/// that a comment keeps apart. And the parser knows only standard_conforming_strings = on:
/// where the session has it off, a '…' with a backslash is written as E'…', which then
/// means the same.
struct StandardText {
  std::string text;
  /// The place in the original text of a place in `text`.
  [[nodiscard]] std::size_t original(std::size_t offset) const;

  std::vector<std::size_t> insertions;  ///< Where in `text` something was put in.
};

/// text  without malformed tokens.
Result<StandardText> standard_text(std::string_view text, LexerOptions options);

}  // namespace sluice::sql
