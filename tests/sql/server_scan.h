// The tokens of the server's own scanner, by libpg_query: the second opinion on ours.
#pragma once

#include <pg_query.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/lexer.h"

namespace sluice::sql::testing {

struct ServerToken {
  int number = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A protobuf message's fields, as far as ScanResult needs them.
class Fields {
 public:
  Fields(const char* data, std::size_t size) : at_(data), end_(data + size) {}
  bool next() {
    if (at_ == end_) return false;
    const std::uint64_t key = varint();
    field = key >> 3;
    value = varint();
    if ((key & 7) == 2) {
      nested = at_;
      at_ += value;
    }
    return true;
  }
  std::uint64_t field = 0;
  std::uint64_t value = 0;
  const char* nested = nullptr;

 private:
  std::uint64_t varint() {
    std::uint64_t result = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      result |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return result;
    }
  }
  const char* at_;
  const char* end_;
};

/// Nothing where the scanner finds an error. Comments are left out.
inline std::optional<std::vector<ServerToken>> server_scan(const std::string& text) {
  constexpr int line_comment = 275;
  constexpr int block_comment = 276;
  const PgQueryScanResult result = pg_query_scan(text.c_str());
  std::optional<std::vector<ServerToken>> tokens;
  if (result.error == nullptr) {
    tokens.emplace();
    Fields scan(result.pbuf.data, result.pbuf.len);
    while (scan.next()) {
      if (scan.field != 2) continue;
      ServerToken token;
      Fields fields(scan.nested, scan.value);
      while (fields.next()) {
        if (fields.field == 1) token.begin = fields.value;
        if (fields.field == 2) token.end = fields.value;
        if (fields.field == 4) token.number = static_cast<int>(fields.value);
      }
      if (token.number != line_comment && token.number != block_comment) tokens->push_back(token);
    }
  }
  pg_query_free_scan_result(result);
  return tokens;
}

/// Whether the server's scanner may call a token of ours by that number.
inline bool agrees(TokenKind kind, const std::string& text, int number) {
  constexpr int first_keyword = 277;
  switch (kind) {
    case TokenKind::word:
      return number == 258 || number >= first_keyword;
    case TokenKind::quoted_word:
      return number == 258;
    case TokenKind::unicode_word:
      return number == 259;
    case TokenKind::string:
    case TokenKind::escape_string:
    case TokenKind::dollar_string:
      return number == 261;
    case TokenKind::unicode_string:
      return number == 262;
    case TokenKind::bit_string:
      return number == 263;
    case TokenKind::hex_string:
      return number == 264;
    case TokenKind::integer:
      return number == 266 || number == 260;  // Large ones are not integers there.
    case TokenKind::decimal:
      return number == 260;
    case TokenKind::parameter:
      return number == 267;
    case TokenKind::operator_:
      return number == 265 || (number >= 272 && number <= 274) ||
             (text.size() == 1 && number == text[0]);
    case TokenKind::punctuation:
      return (number >= 268 && number <= 271) || (text.size() == 1 && number == text[0]);
    case TokenKind::national_string:  // Two tokens there.
    case TokenKind::end:
    case TokenKind::error:
      break;
  }
  return false;
}

/// Where our tokens and the server's differ, in words; empty: nowhere.
inline std::string difference(const std::string& text) {
  std::vector<Token> ours;
  Lexer lexer(text);
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.kind == TokenKind::error) return {};  // Ours may refuse more.
    ours.push_back(token);
  }
  const std::optional<std::vector<ServerToken>> theirs = server_scan(text);
  if (!theirs) {
    // The server checks what an escape stands for, which decides nothing about tokens.
    for (const Token& token : ours) {
      if (token.kind == TokenKind::escape_string) return {};
    }
    return "the server refuses what we take";
  }
  std::size_t next = 0;
  for (const Token& token : ours) {
    const bool is_national = token.kind == TokenKind::national_string;
    const std::size_t needed = is_national ? 2 : 1;
    if (theirs->size() - next < needed) return "the server has fewer tokens";
    const ServerToken& first = (*theirs)[next];
    const ServerToken& last = (*theirs)[next + needed - 1];
    next += needed;
    const std::string written(token.text);
    // libpg_query's places of U&'…' are wrong, and its comments, which it makes tokens,
    // keep a string from going on behind one: the parser refuses that then.
    const bool is_unplaced =
        token.kind == TokenKind::unicode_word || token.kind == TokenKind::unicode_string;
    const bool is_continued = is_constant(token.kind) && written.find("--") != std::string::npos &&
                              written.find_first_of("\n\r") != std::string::npos;
    if (is_continued) return {};
    const bool is_same_place = is_unplaced || (first.begin == token.offset &&
                                               last.end == token.offset + token.text.size());
    const bool is_same_kind =
        is_national ? last.number == 261 : agrees(token.kind, written, first.number);
    if (!is_same_place || !is_same_kind) return "differs at " + written;
  }
  return next == theirs->size() ? "" : "the server has more tokens";
}

}  // namespace sluice::sql::testing
