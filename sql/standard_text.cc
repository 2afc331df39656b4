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
  StandardText result{std::string(text), {}};
  if (options.standard_conforming_strings || text.find('\\') == std::string_view::npos) {
    return result;
  }
  result.text.clear();
  std::size_t copied = 0;
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.text.find('\\') == std::string_view::npos) continue;
    if (token.kind == TokenKind::national_string) {
      return fail(fmt::format("a national string with a backslash, at byte {}", token.offset));
    }
    if (token.kind != TokenKind::string) continue;
    result.text += text.substr(copied, token.offset - copied);
    result.insertions.push_back(result.text.size());
    result.text += prefix;
    copied = token.offset;
  }
  result.text += text.substr(copied);
  return result;
}

}  // namespace sluice::sql
