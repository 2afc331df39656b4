#include "sql/lexer.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "sql/utf8.h"

namespace sluice::sql {
namespace {

enum class Class : std::uint8_t {
  other,
  blank,
  word,  ///< May start a word; bytes beyond ASCII do.
  digit,
  quote,
  double_quote,
  dollar,
  dot,
  operator_,
  punctuation,
};

constexpr std::array<Class, 256> classes = [] {
  std::array<Class, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    if (is_letter(c) || c == '_' || c >= 0x80) table[c] = Class::word;
    if (is_digit(c)) table[c] = Class::digit;
  }
  const auto put = [&](std::string_view members, Class of) {
    for (const char c : members) table[static_cast<unsigned char>(c)] = of;
  };
  put(" \t\n\r\f", Class::blank);
  put("~!@#^&|`?+-*/%<>=", Class::operator_);
  put("()[],;:", Class::punctuation);
  table['\''] = Class::quote;
  table['"'] = Class::double_quote;
  table['$'] = Class::dollar;
  table['.'] = Class::dot;
  return table;
}();

Class class_of(char c) noexcept {
  return classes[static_cast<unsigned char>(c)];
}

bool starts_word(char c) noexcept {
  return class_of(c) == Class::word;
}
constexpr std::array<bool, 256> continues = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) {
    table[c] =
        classes[c] == Class::word || classes[c] == Class::digit || classes[c] == Class::dollar;
  }
  return table;
}();
bool continues_word(char c) noexcept {
  return continues[static_cast<unsigned char>(c)];
}

bool is_newline(char c) noexcept {
  return c == '\n' || c == '\r';
}

const char* past_digits(const char* at, const char* end) noexcept {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

bool is_line_comment(const char* at, const char* end) noexcept {
  return end - at >= 2 && at[0] == '-' && at[1] == '-';
}
bool is_block_comment(const char* at, const char* end) noexcept {
  return end - at >= 2 && at[0] == '/' && at[1] == '*';
}

const char* past_line(const char* at, const char* end) noexcept {
  while (at != end && !is_newline(*at)) ++at;
  return at;
}

/// Past a comment that may hold others; null when it does not end.
const char* past_block_comment(const char* at, const char* end) noexcept {
  std::size_t depth = 1;
  at += 2;
  while (end - at >= 2) {
    if (at[0] == '/' && at[1] == '*') {
      ++depth;
      at += 2;
    } else if (at[0] == '*' && at[1] == '/') {
      at += 2;
      if (--depth == 0) return at;
    } else {
      ++at;
    }
  }
  return nullptr;
}

/// A string goes on where only blanks with a line break, or comments up to a line
/// break, separate its quote from the next. Past that next quote, or null.
const char* past_continuation(const char* at, const char* end) noexcept {
  while (at != end) {
    if (is_line_comment(at, end)) {
      at = past_line(at, end);
    } else if (*at == ' ' || *at == '\t' || *at == '\f') {
      ++at;
    } else {
      break;
    }
  }
  if (at == end || !is_newline(*at)) return nullptr;
  while (at != end) {
    if (is_line_comment(at, end)) {
      at = past_line(at, end);
      if (at == end) return nullptr;
    } else if (class_of(*at) == Class::blank) {
      ++at;
    } else {
      break;
    }
  }
  return at != end && *at == '\'' ? at + 1 : nullptr;
}

/// at  behind the opening quote. Past the closing one; null when there is none.
const char* past_segment(const char* at, const char* end, char quote, bool doubles,
                         bool escapes) noexcept {
  while (at != end) {
    if (escapes && *at == '\\') {
      if (++at == end) return nullptr;
      ++at;
    } else if (*at++ == quote) {
      if (!doubles || at == end || *at != quote) return at;
      ++at;
    }
  }
  return nullptr;
}

/// Where a run of operator characters ends as an operator: before a comment, and
/// before a trailing + or - unless a character no standard operator has is in it.
const char* end_of_operator(const char* begin, const char* end) noexcept {
  const char* at = begin;
  bool is_extended = false;
  while (at != end && class_of(*at) == Class::operator_ && !is_line_comment(at, end) &&
         !is_block_comment(at, end)) {
    is_extended = is_extended || std::string_view("~!@#^&|`?%").find(*at) != std::string_view::npos;
    ++at;
  }
  // What makes an operator extended stands before its last character, or is it.
  if (!is_extended) {
    while (at - begin > 1 && (at[-1] == '+' || at[-1] == '-')) --at;
  }
  return at;
}

/// An identifier that is being spelled: what goes beyond the limit is dropped.
class Speller {
 public:
  void add(char c) noexcept {
    if (name_.size < name_.bytes.size()) name_.bytes[name_.size++] = c;
  }
  void add(char32_t code_point) noexcept {
    std::array<char, 4> bytes{};
    const std::size_t size = utf8::encode(code_point, bytes);
    for (std::size_t i = 0; i < size; ++i) add(bytes[i]);
  }
  /// Cut to the limit, never within a character.
  Name finish() noexcept {
    if (name_.size > Name::bytes_max) {
      name_.size = Name::bytes_max;
      while (utf8::is_continuation(name_.bytes[name_.size])) --name_.size;
    }
    return name_;
  }

 private:
  Name name_;
};

/// One Unicode escape: XXXX or +XXXXXX behind the escape character. Takes it off `rest`.
std::optional<char32_t> unicode_escape(std::string_view& rest) noexcept {
  std::size_t digits = 4;
  if (rest.starts_with('+')) {
    rest.remove_prefix(1);
    digits = 6;
  }
  if (rest.size() < digits) return std::nullopt;
  char32_t value = 0;
  for (const char c : rest.substr(0, digits)) {
    if (hex_value(c) < 0) return std::nullopt;
    value = value << 4 | static_cast<char32_t>(hex_value(c));
  }
  rest.remove_prefix(digits);
  return value;
}

std::optional<Name> decode_unicode_word(std::string_view inner, char escape) noexcept {
  Speller speller;
  char32_t high = 0;  // The first half of a surrogate pair, waiting for its second.
  while (!inner.empty()) {
    const char c = inner.front();
    inner.remove_prefix(1);
    if (c != escape || inner.starts_with(escape)) {
      if (high != 0) return std::nullopt;
      if (c == escape || c == '"') inner.remove_prefix(1);
      speller.add(c);
      continue;
    }
    const std::optional<char32_t> value = unicode_escape(inner);
    if (!value || *value == 0) return std::nullopt;
    char32_t code_point = *value;
    if (high != 0) {
      if (code_point < 0xDC00 || code_point > 0xDFFF) return std::nullopt;
      code_point = 0x10000 + ((high - 0xD800) << 10) + (code_point - 0xDC00);
      high = 0;
    } else if (code_point >= 0xD800 && code_point <= 0xDBFF) {
      high = code_point;
      continue;
    }
    if (!utf8::is_scalar(code_point)) return std::nullopt;
    speller.add(code_point);
  }
  if (high != 0) return std::nullopt;
  return speller.finish();
}

}  // namespace

bool Token::is_same_word(std::string_view lower) const noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(),
                    [](char written, char wanted) { return lower_of(written) == wanted; });
}

Lexer::Lexer(std::string_view text, LexerOptions options) noexcept
    : begin_(text.data()),
      at_(text.data()),
      end_(text.data() + utf8::sound_prefix(text)),
      text_end_(text.data() + text.size()),
      options_(options) {}

Token Lexer::cut(TokenKind kind, const char* end) noexcept {
  const Token token{
      kind, {at_, static_cast<std::size_t>(end - at_)}, static_cast<std::size_t>(at_ - begin_)};
  at_ = end;
  return token;
}

Token Lexer::fail() noexcept {
  end_ = text_end_;
  return cut(TokenKind::error, text_end_);
}

/// False when a comment does not end; `at_` is its beginning then.
bool Lexer::skip_blank() noexcept {
  while (at_ != end_) {
    if (class_of(*at_) == Class::blank) {
      ++at_;
    } else if (is_line_comment(at_, end_)) {
      at_ = past_line(at_, end_);
    } else if (is_block_comment(at_, end_)) {
      const char* const past = past_block_comment(at_, end_);
      if (past == nullptr) return false;
      at_ = past;
    } else {
      break;
    }
  }
  return true;
}

Token Lexer::next() noexcept {
  if (!skip_blank()) return fail();
  if (at_ == end_) return end_ == text_end_ ? cut(TokenKind::end, at_) : fail();
  switch (class_of(*at_)) {
    case Class::word:
      return word();
    case Class::digit:
      return number();
    case Class::quote:
      return quoted(TokenKind::string, 0, true, !options_.standard_conforming_strings);
    case Class::double_quote:
      return quoted_word(TokenKind::quoted_word, 0);
    case Class::dollar:
      return dollar();
    case Class::dot:
      return end_ - at_ >= 2 && is_digit(at_[1]) ? number() : punctuation();
    case Class::operator_:
      return operator_run();
    case Class::punctuation:
      return punctuation();
    case Class::blank:
    case Class::other:
      break;
  }
  return fail();
}

Token Lexer::quoted(TokenKind kind, std::size_t prefix_bytes, bool doubles, bool escapes) noexcept {
  const char* past = at_ + prefix_bytes + 1;
  for (;;) {
    past = past_segment(past, end_, '\'', doubles, escapes);
    if (past == nullptr) return fail();
    const char* const further = past_continuation(past, end_);
    if (further == nullptr) return cut(kind, past);
    past = further;
  }
}

Token Lexer::quoted_word(TokenKind kind, std::size_t prefix_bytes) noexcept {
  const char* const inner = at_ + prefix_bytes + 1;
  const char* const past = past_segment(inner, end_, '"', true, false);
  const bool is_empty = past == inner + 1;
  return past == nullptr || is_empty ? fail() : cut(kind, past);
}

Token Lexer::dollar() noexcept {
  const char* at = at_ + 1;
  if (at != end_ && is_digit(*at)) {
    at = past_digits(at, end_);
    return at != end_ && starts_word(*at) ? fail() : cut(TokenKind::parameter, at);
  }
  if (at != end_ && starts_word(*at)) {
    while (at != end_ && (starts_word(*at) || is_digit(*at))) ++at;
  }
  if (at == end_ || *at != '$') return fail();
  const std::string_view tag(at_, static_cast<std::size_t>(at + 1 - at_));
  const std::string_view rest(at + 1, static_cast<std::size_t>(end_ - (at + 1)));
  const std::size_t found = rest.find(tag);
  if (found == std::string_view::npos) return fail();
  return cut(TokenKind::dollar_string, rest.data() + found + tag.size());
}

Token Lexer::number() noexcept {
  const char* at = past_digits(at_, end_);
  TokenKind kind = TokenKind::integer;
  if (at != end_ && *at == '.') {
    // "1..10" is a range of integers.
    if (end_ - at >= 2 && at[1] == '.' && at != at_) return cut(kind, at);
    at = past_digits(at + 1, end_);
    kind = TokenKind::decimal;
  }
  if (at != end_ && (*at == 'e' || *at == 'E')) {
    const char* exponent = at + 1;
    if (exponent != end_ && (*exponent == '+' || *exponent == '-')) ++exponent;
    at = past_digits(exponent, end_);
    if (at == exponent) return fail();
    kind = TokenKind::decimal;
  }
  return at != end_ && starts_word(*at) ? fail() : cut(kind, at);
}

Token Lexer::word() noexcept {
  const char* const second = at_ + 1;
  if (second != end_ && *second == '\'') {
    switch (*at_) {
      case 'e':
      case 'E':
        return quoted(TokenKind::escape_string, 1, true, true);
      case 'b':
      case 'B':
        return quoted(TokenKind::bit_string, 1, false, false);
      case 'x':
      case 'X':
        return quoted(TokenKind::hex_string, 1, false, false);
      case 'n':
      case 'N':
        return quoted(TokenKind::national_string, 1, true, !options_.standard_conforming_strings);
      default:
        break;
    }
  }
  if ((*at_ == 'u' || *at_ == 'U') && end_ - at_ >= 3 && *second == '&') {
    if (second[1] == '"') return quoted_word(TokenKind::unicode_word, 2);
    if (second[1] == '\'') {
      // The server refuses these where a backslash means something in every string.
      if (!options_.standard_conforming_strings) return fail();
      return quoted(TokenKind::unicode_string, 2, true, false);
    }
  }
  const char* at = second;
  while (at != end_ && continues_word(*at)) ++at;
  return cut(TokenKind::word, at);
}

Token Lexer::operator_run() noexcept {
  const char* const at = end_of_operator(at_, end_);
  if (static_cast<std::size_t>(at - at_) > Name::bytes_max) return fail();
  const bool is_arrow = at - at_ == 2 && at_[0] == '=' && at_[1] == '>';
  return cut(is_arrow ? TokenKind::punctuation : TokenKind::operator_, at);
}

Token Lexer::punctuation() noexcept {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const bool is_double = rest.starts_with("::") || rest.starts_with(":=") || rest.starts_with("..");
  return cut(TokenKind::punctuation, at_ + (is_double ? 2 : 1));
}

std::optional<Name> name_of(const Token& token, char escape) noexcept {
  std::string_view text = token.text;
  if (token.kind == TokenKind::unicode_word) {
    return decode_unicode_word(text.substr(3, text.size() - 4), escape);
  }
  Speller speller;
  if (token.kind == TokenKind::word) {
    for (const char c : text) speller.add(lower_of(c));
    return speller.finish();
  }
  if (token.kind != TokenKind::quoted_word) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    speller.add(text.front());
    text.remove_prefix(text.front() == '"' ? 2 : 1);
  }
  return speller.finish();
}

}  // namespace sluice::sql
