// Any bytes as SQL: tokens cover them, padding changes nothing, no constant is
// recorded, and the analysis ends.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "sql/analysis.h"
#include "sql/shape.h"

namespace {

using namespace sluice;
using namespace sluice::sql;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What may stand between tokens, read naively.
bool is_blank(std::string_view gap) {
  while (!gap.empty()) {
    if (gap.starts_with("--")) {
      gap.remove_prefix(std::min(gap.size(), gap.find_first_of("\n\r")));
    } else if (gap.starts_with("/*")) {
      int depth = 0;
      do {
        if (gap.size() < 2) return false;
        const bool opens = gap.starts_with("/*");
        const bool closes = gap.starts_with("*/");
        depth += opens ? 1 : closes ? -1 : 0;
        gap.remove_prefix(opens || closes ? 2 : 1);
      } while (depth != 0);
    } else if (std::string_view(" \t\n\r\f").find(gap.front()) != std::string_view::npos) {
      gap.remove_prefix(1);
    } else {
      return false;
    }
  }
  return true;
}

std::vector<Token> tokens_of(std::string_view text, LexerOptions options) {
  std::vector<Token> tokens;
  Lexer lexer(text, options);
  std::size_t end = 0;
  for (;;) {
    const Token token = lexer.next();
    require(token.offset >= end && is_blank(text.substr(end, token.offset - end)));
    require(text.substr(token.offset, token.text.size()) == token.text);
    end = token.offset + token.text.size();
    if (token.kind == TokenKind::end) break;
    require(!token.text.empty());
    tokens.push_back(token);
  }
  require(end == text.size());
  return tokens;
}

/// The same tokens with other blanks between them, and words in other case.
std::string padded(const std::vector<Token>& tokens) {
  std::string text = "--x\n ";
  for (const Token& token : tokens) {
    std::string written(token.text);
    if (token.kind == TokenKind::word) {
      for (char& c : written) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
      }
    }
    text += written;
    text += token.text.size() % 2 == 0 ? " /* ' /*\"*/ $a$ */ " : "/**/";
  }
  return text;
}

std::string normal(std::string_view text, LexerOptions options) {
  std::string out(2 * text.size() + 256, '#');
  const Normalised result = normalise(text, out, options);
  require(result.size <= out.size() && !result.is_cut);
  out.resize(result.size);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const LexerOptions options{.standard_conforming_strings = data[0] % 2 == 0};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const FingerprintKey key(3, 4);

  const std::vector<Token> tokens = tokens_of(text, options);
  const bool is_malformed = !tokens.empty() && tokens.back().kind == TokenKind::error;
  const Shape shape = shape_of(text, key, options);
  require(shape.is_malformed == is_malformed);
  const std::string normalised = normal(text, options);

  if (!is_malformed) {
    const std::string other = padded(tokens);
    const Shape same = shape_of(other, key, options);
    require(same.shape == shape.shape);
    require(same.statements == shape.statements);
    require(normal(other, options) == normalised);
    // What is recorded holds no constant, by its own tokens.
    for (const Token& token : tokens_of(normalised, options)) {
      require(!is_constant(token.kind) && token.kind != TokenKind::error);
    }
  }

  std::vector<char> small(normalised_bytes_min + data[0] % 64);
  require(normalise(text, small, options).size <= small.size());

  if (size <= 4096) {
    const Result<Analysis> analysis = analyse(text, options);
    if (is_malformed) require(!analysis);
    if (analysis) {
      for (const Statement& statement : analysis->statements) {
        require(statement.offset + statement.size <= text.size());
      }
      require(analysis->statements.size() <= shape.statements);
    }
  }
  return 0;
}
