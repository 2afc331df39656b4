#include "sql/standard_text.h"

#include <fmt/format.h>

namespace sluice::sql {
namespace {

// With a blank: the string may stand right behind a word.
constexpr std::string_view prefix = " E";

}  // namespace

std::size_t StandardText::original(std::size_t offset) const {
  std::size_t inserted = 0;
  for (const std::size_t insertion : insertions) {
    if (insertion < offset) inserted += prefix.size();
  }
  return offset - inserted;
}

Result<StandardText> standard_text(std::string_view text, LexerOptions options) {
  StandardText result;
  result.text.reserve(text.size() + 64);
  std::size_t end = 0;  // Of the token before.
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    result.text.append(token.offset - end, ' ');
    const bool is_escaped =
        !options.standard_conforming_strings && token.text.find('\\') != std::string_view::npos;
    if (is_escaped && token.kind == TokenKind::national_string) {
      return fail(fmt::format("a national string with a backslash, at byte {}", token.offset));
    }
    if (is_escaped && token.kind == TokenKind::string) {
      result.insertions.push_back(result.text.size());
      result.text += prefix;
    }
    result.text += token.text;
    end = token.offset + token.text.size();
  }
  return result;
}

}  // namespace sluice::sql
