#include "sql/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::sql {
namespace {

/// Words by which the grammar puts one tree into another without a bracket.
bool is_deepening(const Token& token) noexcept {
  if (token.kind == TokenKind::operator_) return true;
  if (token.kind == TokenKind::punctuation) return token.text == "::";
  if (token.kind != TokenKind::word) return false;
  constexpr std::array<std::string_view, 24> words{
      "and",      "at",        "between",  "case",    "collate", "else",  "except", "ilike",
      "in",       "intersect", "is",       "isnull",  "join",    "like",  "not",    "notnull",
      "operator", "or",        "overlaps", "similar", "then",    "union", "when",   "escape"};
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return token.is_word(word); });
}

/// One pair of brackets, or the text around all of them.
struct Level {
  std::size_t own_depth = 0;     ///< Deepening tokens at this level.
  std::size_t inner_depth = 0;   ///< Of the deepest pair within.
  std::size_t columns = 1;       ///< Of a list like (a, b), in case one follows that is assigned.
  std::size_t repeats = 1;       ///< How often the parse tree repeats what stands here.
  std::size_t repeats_next = 1;  ///< The same for the next pair within.
};

class Guard {
 public:
  explicit Guard(const AnalysisLimits& limits) : limits_(limits) {}

  /// What limit the token exceeds, in words; empty: none.
  std::string take(const Token& token) {
    weight_ += levels_.back().repeats;
    if (weight_ > limits_.tokens_max) {
      return fmt::format("more than {} tokens", limits_.tokens_max);
    }
    if (token.is(';') && levels_.size() == 1) levels_.back() = {};
    if (token.is('(') || token.is('[')) return open();
    if (token.is(')') || token.is(']')) {
      close();
    } else {
      Level& level = levels_.back();
      if (token.is(',')) ++level.columns;
      // "(a, b) = (…)" becomes one assignment for each column, each with all of (…).
      level.repeats_next = token.text == "=" && is_behind_bracket_ ? closed_columns_
                           : token.is_word("row")                  ? level.repeats_next
                                                                   : 1;
      if (is_deepening(token)) ++level.own_depth;
    }
    is_behind_bracket_ = token.is(')');
    if (depth() > limits_.depth_max) {
      return fmt::format("nested more than {} deep", limits_.depth_max);
    }
    return {};
  }

 private:
  std::string open() {
    if (levels_.size() > limits_.nesting_max) {
      return fmt::format("more than {} brackets within brackets", limits_.nesting_max);
    }
    Level& outer = levels_.back();
    Level inner;
    inner.repeats = std::min(outer.repeats * outer.repeats_next, limits_.tokens_max);
    outer.repeats_next = 1;
    levels_.push_back(inner);
    is_behind_bracket_ = false;
    return {};
  }
  void close() {
    if (levels_.size() == 1) return;  // The parser will say so.
    const Level closed = levels_.back();
    levels_.pop_back();
    Level& outer = levels_.back();
    outer.inner_depth = std::max(outer.inner_depth, closed.own_depth + closed.inner_depth + 1);
    closed_columns_ = closed.columns;
  }
  [[nodiscard]] std::size_t depth() const {
    return levels_.back().own_depth + levels_.back().inner_depth;
  }

  const AnalysisLimits& limits_;
  std::vector<Level> levels_{1};
  std::size_t weight_ = 0;
  std::size_t closed_columns_ = 1;
  bool is_behind_bracket_ = false;
};

}  // namespace

Result<void> check_limits(std::string_view text, LexerOptions options,
                          const AnalysisLimits& limits) {
  if (text.size() > limits.text_bytes_max) {
    return fail(fmt::format("longer than {} bytes", limits.text_bytes_max));
  }
  Guard guard(limits);
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.kind == TokenKind::error) {
      return fail(fmt::format("no token can begin like this, or it does not end, at byte {}",
                              token.offset));
    }
    if (std::string fault = guard.take(token); !fault.empty()) {
      return fail(fmt::format("{}, at byte {}", fault, token.offset));
    }
  }
  return {};
}

}  // namespace sluice::sql
