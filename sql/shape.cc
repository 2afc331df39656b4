#include "sql/shape.h"

#include <array>
#include <cstring>

#include "base/ascii.h"
#include "base/assert.h"
#include "sql/plain_tokens.h"

namespace sluice::sql {
namespace {

/// Eight bytes at once, as lower_of() makes each.
std::uint64_t in_lower_case(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x80 * ones;
  const std::uint64_t low_bits = bytes & ~highs;
  const std::uint64_t from_a = low_bits + (0x80 - 'A') * ones;
  const std::uint64_t beyond_z = low_bits + (0x7F - 'Z') * ones;
  return bytes | ((from_a & ~beyond_z & ~bytes & highs) >> 2);
}

/// Copies by few loads, which may overlap, for most texts here are short.
template <bool folds, class Word>
void copy_word(char* to, const char* from) noexcept {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  if constexpr (folds) word = static_cast<Word>(in_lower_case(word));
  std::memcpy(to, &word, sizeof word);
}
template <bool folds, class Word>
void copy_by(char* to, std::string_view from) noexcept {
  for (std::size_t i = 0; i + sizeof(Word) < from.size(); i += sizeof(Word)) {
    copy_word<folds, Word>(to + i, from.data() + i);
  }
  const std::size_t last = from.size() - sizeof(Word);
  copy_word<folds, Word>(to + last, from.data() + last);
}
template <bool folds>
void copy(char* to, std::string_view from) noexcept {
  if (from.size() >= 8) return copy_by<folds, std::uint64_t>(to, from);
  if (from.size() >= 4) return copy_by<folds, std::uint32_t>(to, from);
  if (from.size() >= 2) return copy_by<folds, std::uint16_t>(to, from);
  if (!from.empty()) copy_by<folds, std::uint8_t>(to, from);
}

/// Hashes short pieces: gathers them first, for the hash likes its bytes in bulk.
class Gatherer {
 public:
  explicit Gatherer(const FingerprintKey& key) noexcept : stream_(key) {}

  void add(char c) noexcept {
    if (size_ == bytes_.size()) flush();
    bytes_[size_++] = c;
  }
  /// A mark, a text and a NUL.
  template <bool folds>
  void add(char mark, std::string_view text) noexcept {
    if (text.size() + 2 > bytes_.size() - size_) return add_slowly<folds>(mark, text);
    char* const to = bytes_.data() + size_;
    to[0] = mark;
    copy<folds>(to + 1, text);
    to[text.size() + 1] = '\0';
    size_ += text.size() + 2;
  }
  Fingerprint finish() noexcept {
    flush();
    return stream_.finish();
  }

 private:
  template <bool folds>
  void add_slowly(char mark, std::string_view text) noexcept {
    flush();
    bytes_[size_++] = mark;
    while (text.size() + 1 > bytes_.size() - size_) {
      const std::string_view part = text.substr(0, bytes_.size() - size_);
      copy<folds>(bytes_.data() + size_, part);
      size_ += part.size();
      text.remove_prefix(part.size());
      flush();
    }
    copy<folds>(bytes_.data() + size_, text);
    size_ += text.size();
    bytes_[size_++] = '\0';
  }
  void flush() noexcept {
    stream_.append({bytes_.data(), size_});
    size_ = 0;
  }

  FingerprintStream stream_;
  std::array<char, 256> bytes_;
  std::size_t size_ = 0;
};

// How tokens follow one another in what is hashed: a byte that says what comes, the
// token, and a NUL, which no token holds; a lone bracket, comma or the like stands for
// itself. So no two rows of tokens give the same bytes.
enum Mark : char {
  as_written = 1,
  as_list = 2,
  as_rows = 3,
  as_constant = 4,  // Plus its kind; below the space, as no token begins.
};
static_assert(as_constant + static_cast<int>(TokenKind::decimal) < ' ');

void add(Gatherer& to, const Token& token) noexcept {
  if (token.kind == TokenKind::punctuation && token.text.size() == 1) {
    to.add(token.text.front());
  } else if (token.kind == TokenKind::word) {
    to.add<true>(as_written, token.text);
  } else if (is_constant(token.kind) || token.kind == TokenKind::unicode_word) {
    // The letter before the quotes has no case.
    to.add<false>(lower_of(token.text.front()), token.text.substr(1));
  } else {
    to.add<false>(as_written, token.text);
  }
}

/// How a constant was written does not matter where the server makes the same of it.
TokenKind plain_kind(TokenKind kind) noexcept {
  switch (kind) {
    case TokenKind::escape_string:
    case TokenKind::unicode_string:
    case TokenKind::dollar_string:
      return TokenKind::string;
    default:
      return kind;
  }
}

class ShapeSink {
 public:
  ShapeSink(const FingerprintKey& key, LexerOptions options, Shape& shape) noexcept
      : shape_(shape), plain_(key) {
    plain_.add<false>(options.standard_conforming_strings ? '1' : '0', {});
  }

  static constexpr bool is_full() noexcept { return false; }
  void token(const Token& token) noexcept {
    add(plain_, token);
    if (token.is(';')) {
      is_in_statement_ = false;
    } else {
      begin_statement(token);
    }
  }
  void constant(const Token& token) noexcept {
    plain_.add<false>(static_cast<char>(as_constant + static_cast<char>(plain_kind(token.kind))),
                      {});
    begin_statement(token);
  }
  void list(std::string_view /*text*/) noexcept { plain_.add<false>(as_list, {}); }
  void rows(std::string_view /*text*/) noexcept { plain_.add<false>(as_rows, {}); }

  void finish() noexcept { shape_.shape = plain_.finish(); }

 private:
  void begin_statement(const Token& token) noexcept {
    if (!is_in_statement_) ++shape_.statements;
    is_in_statement_ = true;
    if (is_before_first_word_ && !token.is('(')) {
      is_before_first_word_ = false;
      if (token.kind == TokenKind::word) shape_.first_word = token.text;
    }
  }
  Shape& shape_;
  Gatherer plain_;
  bool is_in_statement_ = false;
  bool is_before_first_word_ = true;
};

/// Words behind which a bracket does not open a call's arguments.
bool is_apart_from_bracket(const Token& token) noexcept {
  constexpr std::array<std::string_view, 34> words{
      "all",    "and",    "any",    "as",     "between", "by",        "case",   "else", "except",
      "exists", "from",   "having", "ilike",  "in",      "intersect", "is",     "like", "limit",
      "not",    "offset", "on",     "or",     "over",    "returning", "select", "set",  "some",
      "then",   "union",  "using",  "values", "when",    "where",     "with"};
  for (const std::string_view word : words) {
    if (token.is_word(word)) return true;
  }
  return false;
}

class TextSink {
 public:
  explicit TextSink(std::span<char> out) noexcept
      : out_(out), capacity_(out.size() - marks_bytes_max) {}

  [[nodiscard]] bool is_full() const noexcept { return is_full_; }
  void token(const Token& token) noexcept {
    const bool is_hidden = is_constant(token.kind);
    put(token, is_hidden ? "?" : token.text);
  }
  void constant(const Token& token) noexcept { put(token, "?"); }
  void list(std::string_view /*text*/) noexcept { put(", ..."); }
  void rows(std::string_view /*text*/) noexcept { put(", ..."); }

  Normalised finish(bool is_malformed) noexcept {
    if (is_full_) write(cut_mark);
    if (is_malformed) {
      if (size_ != 0) write(" ");
      write(malformed_mark);
    }
    return {size_, is_full_, is_malformed};
  }

 private:
  static constexpr std::size_t marks_bytes_max = cut_mark.size() + 1 + malformed_mark.size();
  static_assert(marks_bytes_max < normalised_bytes_min);

  void put(const Token& token, std::string_view text) noexcept {
    const bool is_apart = size_ != 0 && is_apart_from(token);
    before_ = token;
    if (text.size() + (is_apart ? 1 : 0) > capacity_ - size_) {
      is_full_ = true;
      return;
    }
    if (is_apart) write(" ");
    const std::size_t begin = size_;
    write(text);
    const std::size_t folded = token.kind == TokenKind::word           ? text.size()
                               : token.kind == TokenKind::unicode_word ? 1
                                                                       : 0;
    for (char& c : out_.subspan(begin, folded)) c = lower_of(c);
  }
  void put(std::string_view text) noexcept {
    if (is_full_) return;
    is_full_ = text.size() > capacity_ - size_;
    if (!is_full_) write(text);
  }
  void write(std::string_view text) noexcept {
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }

  /// Whether a blank stands between the token before and this one.
  [[nodiscard]] bool is_apart_from(const Token& token) const noexcept {
    const bool is_tight_behind =
        before_.is('(') || before_.is('[') || before_.is('.') || before_.text == "::";
    const bool is_tight_before = token.is(',') || token.is(';') || token.is(')') || token.is(']') ||
                                 token.is('.') || token.text == "::";
    if (is_tight_behind || is_tight_before) return false;
    const bool is_named = before_.kind == TokenKind::word || before_.kind == TokenKind::quoted_word;
    if (token.is('(')) return !is_named || is_apart_from_bracket(before_);
    if (token.is('[')) return !is_named && !before_.is(')') && !before_.is(']');
    return true;
  }

  std::span<char> out_;
  std::size_t capacity_;  ///< Without the room that is kept for marks.
  std::size_t size_ = 0;
  Token before_;
  bool is_full_ = false;
};

}  // namespace

Shape shape_of(std::string_view text, const FingerprintKey& key, LexerOptions options) noexcept {
  Shape shape;
  ShapeSink sink(key, options, shape);
  shape.is_malformed = !PlainTokens(text, options, sink).read();
  sink.finish();
  return shape;
}

Normalised normalise(std::string_view text, std::span<char> out, LexerOptions options) noexcept {
  ASSERT(out.size() >= normalised_bytes_min);
  TextSink sink(out);
  const bool is_sound = PlainTokens(text, options, sink).read();
  return sink.finish(!is_sound);
}

}  // namespace sluice::sql
