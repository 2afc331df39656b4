// The tokens of an SQL text, by PostgreSQL 15's rules. Not a parser: it does not
// know which words are keywords.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::sql {

enum class TokenKind : std::uint8_t {
  end,
  error,            ///< Unterminated, malformed, NUL or not UTF-8: covers the rest of the text.
  word,             ///< A keyword or an identifier without quotes.
  quoted_word,      ///< "…"
  unicode_word,     ///< U&"…"; a UESCAPE clause is tokens of its own.
  string,           ///< '…', with its continuations on further lines.
  escape_string,    ///< E'…'
  unicode_string,   ///< U&'…'
  national_string,  ///< N'…'
  dollar_string,    ///< $tag$…$tag$
  bit_string,       ///< B'…'
  hex_string,       ///< X'…'
  integer,
  decimal,    ///< A number with a point or an exponent.
  parameter,  ///< $1
  operator_,
  punctuation,  ///< One of ( ) [ ] , ; . .. : :: := =>
};

/// A value written into the text.
constexpr bool is_constant(TokenKind kind) noexcept {
  return kind >= TokenKind::string && kind <= TokenKind::decimal;
}

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;   ///< As written, quotes included.
  std::size_t offset = 0;  ///< Of its first byte in the whole text.

  [[nodiscard]] bool is(char punctuation) const noexcept {
    return kind == TokenKind::punctuation && text.size() == 1 && text[0] == punctuation;
  }
  /// lower  a keyword in lower case.
  [[nodiscard]] bool is_word(std::string_view lower) const noexcept {
    return text.size() == lower.size() && kind == TokenKind::word && is_same_word(lower);
  }

 private:
  [[nodiscard]] bool is_same_word(std::string_view lower) const noexcept;
};

/// What the session's settings change about the rules.
struct LexerOptions {
  bool standard_conforming_strings = true;  ///< Off: a backslash in '…' escapes.
};

/// Cuts a text into tokens.
///
/// text     borrowed; tokens are views into it. Blanks and comments lie between them.
/// errors   a token of kind error, and after it the end.
/// differs  from the server in nothing that it takes; what its grammar refuses at
///          any place (a lone $ or backslash) is an error here already. N'…' is one
///          token here and two there.
/// source   PostgreSQL 15 manual, 4.1 "Lexical Structure", and the behaviour of its scanner.
class Lexer {
 public:
  explicit Lexer(std::string_view text, LexerOptions options = {}) noexcept;
  Token next() noexcept;
  /// What is not cut yet.
  [[nodiscard]] std::string_view rest() const noexcept {
    return {at_, static_cast<std::size_t>(text_end_ - at_)};
  }

 private:
  Token cut(TokenKind kind, const char* end) noexcept;
  Token fail() noexcept;
  bool skip_blank() noexcept;
  Token quoted(TokenKind kind, std::size_t prefix_bytes, bool doubles, bool escapes) noexcept;
  Token quoted_word(TokenKind kind, std::size_t prefix_bytes) noexcept;
  Token dollar() noexcept;
  Token number() noexcept;
  Token word() noexcept;
  Token operator_run() noexcept;
  Token punctuation() noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;  ///< Of what is sound: before the first byte that no text may hold.
  const char* text_end_;
  LexerOptions options_;
};

/// An identifier as the server knows it.
struct Name {
  static constexpr std::size_t bytes_max = 63;
  std::array<char, bytes_max + 1> bytes{};
  std::size_t size = 0;
  [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};

/// The name a word stands for: down-cased (ASCII only) when it has no quotes, cut to
/// 63 bytes. Nothing for other tokens and for a malformed Unicode escape.
/// escape  of U&"…", when a UESCAPE clause says another.
std::optional<Name> name_of(const Token& token, char escape = '\\') noexcept;

}  // namespace sluice::sql
