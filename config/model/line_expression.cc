#include "config/model/line_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/ascii.h"

namespace sluice::config {
namespace {

constexpr std::string_view no_line_end = "[^\\n]";

/// Other bytes of a value are written as \xHH.
bool is_plain(char c) noexcept {
  return c >= ' ' && c < 0x7F;
}
constexpr std::string_view not_plain = "write anything but printable ASCII as '\\xHH'";

std::optional<unsigned> hex_byte(std::string_view digits) noexcept {
  if (digits.size() != 2) return std::nullopt;
  const int high = hex_value(digits[0]);
  const int low = hex_value(digits[1]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned>(high * 16 + low);
}

/// `text` with every character that an expression could take for syntax escaped.
std::string escaped_literal(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (is_letter_or_digit(c) || c == '_') {
      escaped += c;
    } else {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

/// Walks a pattern once and writes it again, alternative by alternative.
class Confiner {
 public:
  explicit Confiner(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> run(std::string_view line_start) {
    const bool ignores_case = rest().starts_with("(?i)");
    if (ignores_case) at_ += 4;
    begin_alternative();
    while (at_ < pattern_.size()) {
      if (!step()) return fail(fault_);
    }
    if (depth_ != 0) return fail("a '(' is not closed");
    end_alternative();
    return "(?m)^" + std::string(line_start) + (ignores_case ? "(?i:" : "(?:") + alternatives_ +
           ")";
  }

 private:
  [[nodiscard]] std::string_view rest() const noexcept { return pattern_.substr(at_); }

  bool refuse(std::string message) {
    fault_ = fmt::format("at character {}: {}", at_ + 1, message);
    return false;
  }

  void begin_alternative() {
    const bool from_start = rest().starts_with('^');
    if (from_start) ++at_;
    current_ = from_start ? "(?:" : fmt::format("{}*(?:", no_line_end);
  }

  void end_alternative() {
    if (!alternatives_.empty()) alternatives_ += '|';
    alternatives_ += current_ + ")";
  }

  bool step() {
    const char c = pattern_[at_];
    if (!is_plain(c)) return refuse(std::string(not_plain));
    switch (c) {
      case '\\':
        return escape();
      case '[':
        return character_class();
      case '(':
        return open_group();
      case ')':
        if (depth_ == 0) return refuse("a ')' without its '('");
        --depth_;
        return copy(1);
      case '|':
        if (depth_ != 0) return copy(1);
        end_alternative();
        ++at_;
        begin_alternative();
        return true;
      case '.':
        current_ += no_line_end;
        ++at_;
        return true;
      case '^':
        return refuse("'^' may only start the expression or an alternative outside groups");
      default:
        return copy(1);
    }
  }

  bool copy(std::size_t count) {
    current_ += pattern_.substr(at_, count);
    at_ += count;
    return true;
  }

  bool open_group() {
    ++depth_;
    if (rest().starts_with("(?:")) return copy(3);
    if (rest().starts_with("(?i:")) return copy(4);
    if (rest().starts_with("(?") || rest().starts_with("(*")) {
      return refuse("only the groups '(…)', '(?:…)', '(?i:…)' and a leading '(?i)' are understood");
    }
    return copy(1);
  }

  /// An escape outside of a class.
  bool escape() {
    if (at_ + 1 >= pattern_.size()) return refuse("a '\\' with nothing behind it");
    const char c = pattern_[at_ + 1];
    switch (c) {
      case 's':
        return replace(2, "[\\t ]");
      case 'D':
        return replace(2, "[^\\n\\d]");
      case 'W':
        return replace(2, "[^\\n\\w]");
      case 'd':
      case 'w':
      case 'S':
      case 'b':
      case 'B':
      case 't':
        return copy(2);
      case 'x':
        return hex_escape();
      default:
        if (!is_letter_or_digit(c) && is_plain(c)) return copy(2);
        return refuse(fmt::format("'\\{}' is not understood here", c));
    }
  }

  bool hex_escape() {
    const auto code = hex_byte(pattern_.substr(at_ + 2, 2));
    if (!code) return refuse("'\\x' takes two hex digits");
    if (*code == '\n') return refuse("a header value has no line end");
    return copy(4);
  }

  bool replace(std::size_t count, std::string_view with) {
    current_ += with;
    at_ += count;
    return true;
  }

  // One member of a class: a byte that may start or end a range, or a set.
  struct Member {
    std::string written;
    std::optional<unsigned> byte;
  };

  std::optional<Member> member(bool is_negated) {
    const char c = pattern_[at_];
    if (c == '[') {
      if (rest().starts_with("[:")) return posix_set(is_negated);
      return plain_member();
    }
    if (c != '\\') return plain_member();
    if (at_ + 1 >= pattern_.size()) return refused_member("a '\\' with nothing behind it");
    const char escaped = pattern_[at_ + 1];
    switch (escaped) {
      case 'd':
      case 'w':
      case 'S':
        return taken(2, pattern_.substr(at_, 2), std::nullopt);
      case 's':
        return taken(2, is_negated ? "\\s" : "\\t ", std::nullopt);
      case 'D':
      case 'W':
        if (is_negated) return taken(2, pattern_.substr(at_, 2), std::nullopt);
        return refused_member("write a negated class instead: this one could match a line end");
      case 't':
        return taken(2, "\\t", static_cast<unsigned>('\t'));
      case 'x': {
        const auto code = hex_byte(pattern_.substr(at_ + 2, 2));
        if (!code) return refused_member("'\\x' takes two hex digits");
        return taken(4, pattern_.substr(at_, 4), code);
      }
      default:
        if (!is_letter_or_digit(escaped) && is_plain(escaped)) {
          return taken(2, pattern_.substr(at_, 2), static_cast<unsigned char>(escaped));
        }
        return refused_member(fmt::format("'\\{}' is not understood here", escaped));
    }
  }

  std::optional<Member> plain_member() {
    const char c = pattern_[at_];
    if (!is_plain(c)) return refused_member(std::string(not_plain));
    // Escaped, so that neither ']' nor '-' nor '^' changes meaning where it lands.
    const auto byte = static_cast<unsigned char>(c);
    return taken(1, is_letter_or_digit(c) ? std::string(1, c) : fmt::format("\\x{:02x}", byte),
                 byte);
  }

  std::optional<Member> posix_set(bool is_negated) {
    static constexpr std::array<std::string_view, 9> known{"[:alpha:]",  "[:digit:]", "[:alnum:]",
                                                           "[:upper:]",  "[:lower:]", "[:punct:]",
                                                           "[:xdigit:]", "[:graph:]", "[:print:]"};
    for (const auto name : known) {
      if (rest().starts_with(name)) return taken(name.size(), name, std::nullopt);
    }
    if (is_negated && rest().starts_with("[:space:]")) return taken(9, "\\s", std::nullopt);
    return refused_member("this character set is not understood here");
  }

  std::optional<Member> taken(std::size_t count, std::string_view written,
                              std::optional<unsigned> byte) {
    at_ += count;
    return Member{std::string(written), byte};
  }

  std::optional<Member> refused_member(std::string message) {
    refuse(std::move(message));
    return std::nullopt;
  }

  bool character_class() {
    const std::size_t opened_at = at_++;
    const bool is_negated = rest().starts_with('^');
    if (is_negated) ++at_;
    std::string written = is_negated ? "[^\\n" : "[";
    for (bool is_first = true;; is_first = false) {
      if (at_ >= pattern_.size()) {
        at_ = opened_at;
        return refuse("a '[' is not closed");
      }
      if (pattern_[at_] == ']' && !is_first) break;
      const auto low = member(is_negated);
      if (!low) return false;
      written += low->written;
      const bool is_range =
          at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']';
      if (!is_range) {
        if (!is_negated && low->byte == unsigned{'\n'})
          return refuse("a header value has no line end");
        continue;
      }
      ++at_;
      const auto high = member(is_negated);
      if (!high) return false;
      if (!low->byte || !high->byte || *low->byte > *high->byte) return refuse("a bad range");
      if (!is_negated && *low->byte <= '\n' && '\n' <= *high->byte) {
        return refuse("this range holds the line end");
      }
      written += "-" + high->written;
    }
    ++at_;
    current_ += written + "]";
    return true;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string current_;
  std::string alternatives_;
  std::string fault_;
};

}  // namespace

Result<std::string> line_expression(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return fail("an empty expression; '.*' asks for the header's presence");
  return Confiner(pattern).run(escaped_literal(in_lower_case(name)) + ": ");
}

}  // namespace sluice::config
