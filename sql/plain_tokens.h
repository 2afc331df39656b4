// Tokens with their constants set apart, and lists of constants taken as one.
// Internal to sql: what a text's shape and its normalised text have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "sql/lexer.h"

namespace sluice::sql {

/// Reads a text for its shape. `Sink` is told of everything in turn:
///   token(const Token&)   what the shape holds as it is;
///   constant(const Token&)  a constant that stands for any of its kind;
///   list(text)            further constants of an IN list, commas included;
///   rows(text)            further rows of VALUES that hold nothing but constants.
template <class Sink>
class PlainTokens {
 public:
  PlainTokens(std::string_view text, LexerOptions options, Sink& sink) noexcept
      : lexer_(text, options), sink_(sink) {}

  /// Reads to the end, or until the sink is full. False when the text is malformed.
  bool read() noexcept {
    while (!sink_.is_full()) {
      const Token token = lexer_.next();
      if (token.kind == TokenKind::end) return true;
      if (token.kind == TokenKind::error) return false;
      if (is_constant(token.kind) && before_ != Before::uescape) {
        sink_.constant(token);
        if (before_ == Before::list) fold_list();
        other(token);
      } else {
        sink_.token(token);
        if (token.kind == TokenKind::punctuation) {
          punctuation(token);
        } else {
          other(token);
        }
      }
    }
    return true;
  }

 private:
  /// What the last token was, where it decides about the next.
  enum class Before : std::uint8_t { other, dot, in, values, list, uescape };
  static constexpr std::size_t no_rows = std::numeric_limits<std::size_t>::max();

  void other(const Token& token) noexcept {
    const bool is_name = before_ == Before::dot;  // Behind a dot every keyword is one.
    before_ = Before::other;
    if (depth_ == rows_depth_) rows_depth_ = no_rows;
    if (is_name || token.kind != TokenKind::word) return;
    if (token.is_word("in")) before_ = Before::in;
    if (token.is_word("values")) before_ = Before::values;
    if (token.is_word("uescape")) before_ = Before::uescape;
  }

  void punctuation(const Token& token) noexcept {
    const Before before = before_;
    before_ = token.is('.') ? Before::dot : Before::other;
    if (token.is('(')) {
      if (before == Before::in) before_ = Before::list;
      if (before == Before::values) rows_depth_ = depth_;
      ++depth_;
    } else if (token.is(')')) {
      if (depth_ > 0) --depth_;
      if (depth_ == rows_depth_) fold_rows();
      if (depth_ < rows_depth_) rows_depth_ = no_rows;
    } else if (depth_ == rows_depth_ && !token.is(',')) {
      rows_depth_ = no_rows;
    }
  }

  void fold_list() noexcept {
    const Lexer begin = lexer_;
    for (Lexer ahead = begin;; lexer_ = ahead) {
      if (!ahead.next().is(',') || !is_constant(ahead.next().kind)) break;
    }
    if (const std::string_view text = text_between(begin, lexer_); !text.empty()) sink_.list(text);
  }

  void fold_rows() noexcept {
    const Lexer begin = lexer_;
    for (Lexer ahead = begin; passes_plain_row(ahead);) lexer_ = ahead;
    if (const std::string_view text = text_between(begin, lexer_); !text.empty()) sink_.rows(text);
  }

  static std::string_view text_between(const Lexer& begin, const Lexer& end) noexcept {
    return {begin.rest().data(), static_cast<std::size_t>(end.rest().data() - begin.rest().data())};
  }

  /// Takes ", (…)" where only constants stand between the brackets.
  static bool passes_plain_row(Lexer& ahead) noexcept {
    if (!ahead.next().is(',') || !ahead.next().is('(')) return false;
    for (;;) {
      Token item = ahead.next();
      if (item.kind == TokenKind::operator_ && (item.text == "-" || item.text == "+")) {
        item = ahead.next();
      }
      const bool is_plain = is_constant(item.kind) || item.is_word("null") ||
                            item.is_word("true") || item.is_word("false") ||
                            item.is_word("default");
      if (!is_plain) return false;
      const Token behind = ahead.next();
      if (behind.is(')')) return true;
      if (!behind.is(',')) return false;
    }
  }

  Lexer lexer_;
  Sink& sink_;
  Before before_ = Before::other;
  std::size_t depth_ = 0;
  std::size_t rows_depth_ = no_rows;  ///< Where rows of VALUES stand, while they do.
};

}  // namespace sluice::sql
