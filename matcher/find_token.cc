// Secrets of programs: JSON web tokens, AWS access key ids, bearer tokens.
#include <algorithm>

#include "matcher/builtin_finders.h"

namespace sluice::matcher {
namespace {

/// Whether `text` stands at `at`, letters in any case.
bool has_word(const Window& window, std::size_t at, std::string_view lower_text) noexcept {
  if (at + lower_text.size() > window.size) return false;
  return std::equal(
      lower_text.begin(), lower_text.end(), window.bytes + at, [](char a, std::uint8_t b) {
        return static_cast<std::uint8_t>(a) == b ||
               (is_in(b, byte_class::upper) && static_cast<std::uint8_t>(a) == b + 32);
      });
}

/// Three parts, of which the last may be empty (RFC 7519 §6.1: unsecured).
bool has_three_parts(const Window& window, std::size_t start, std::size_t end) noexcept {
  const std::uint8_t* const last = window.bytes + end;
  const std::uint8_t* const first_dot = std::find(window.bytes + start, last, '.');
  if (first_dot == last) return false;
  const std::uint8_t* const second_dot = std::find(first_dot + 1, last, '.');
  return second_dot != last && second_dot != first_dot + 1;
}

/// What distinguishes a token from the next word of a sentence.
bool looks_like_token(const Window& window, std::size_t start, std::size_t end) noexcept {
  constexpr std::size_t word_bytes_max = 15;
  if (end - start > word_bytes_max) return true;
  return std::any_of(window.bytes + start, window.bytes + end, [](std::uint8_t byte) {
    return byte != '.' && !is_in(byte, byte_class::letter);
  });
}

}  // namespace

std::size_t end_of_jwt_run(const Window& window, std::size_t from) noexcept {
  while (from < window.size &&
         (window.bytes[from] == '.' || is_in(window.bytes[from], byte_class::base64url))) {
    ++from;
  }
  return from;
}

void find_jwts(const Window& window, MatchTable& out) noexcept {
  // A longer run that begins as a token does is taken for one: its dots may be
  // further away than we can see.
  constexpr std::size_t recognised_bytes = 320;
  const std::size_t horizon = window.horizon();
  std::size_t run_end = 0;  // Runs are measured once, however many starts they hold.
  for (std::size_t at = window.find('e', window.undecided); at < horizon;
       at = window.find('e', at + 1)) {
    if (!window.is_at(at + 1, 'y') || !window.is_at(at + 2, 'J')) continue;
    if (window.has_before(at, byte_class::base64url)) continue;
    if (run_end <= at) run_end = end_of_jwt_run(window, at);
    const bool is_long = run_end - at > recognised_bytes;
    if (is_long || has_three_parts(window, at, run_end)) {
      out.add_run(at, window, run_end, run::jwt);
    }
  }
}

void find_aws_keys(const Window& window, MatchTable& out) noexcept {
  constexpr std::size_t length = 20;
  const std::size_t horizon = window.horizon();
  for (std::size_t at = window.find('A', window.undecided); at < horizon;
       at = window.find('A', at + 1)) {
    const bool has_prefix = (window.is_at(at + 1, 'K') || window.is_at(at + 1, 'S')) &&
                            window.is_at(at + 2, 'I') && window.is_at(at + 3, 'A');
    if (!has_prefix || window.has_before(at, byte_class::alnum)) continue;
    const std::size_t end = window.end_of_run(at, byte_class::upper | byte_class::digit);
    if (end - at == length && !window.has_at(end, byte_class::lower)) out.add(at, end);
  }
}

void find_bearer_tokens(const Window& window, MatchTable& out) noexcept {
  constexpr std::string_view scheme = "bearer ";
  const std::size_t horizon = window.horizon();
  // The match is the token, so its scheme may lie in the part decided earlier.
  const std::size_t first = window.undecided > scheme.size() ? window.undecided - scheme.size() : 0;
  for (std::size_t space = window.find(' ', first); space < horizon;
       space = window.find(' ', space + 1)) {
    const std::size_t start = space + 1;
    if (start < scheme.size() || start < window.undecided || start >= horizon) continue;
    const std::size_t scheme_at = start - scheme.size();
    if (!has_word(window, scheme_at, scheme)) continue;
    if (window.has_before(scheme_at, byte_class::alnum)) continue;
    const std::size_t end = window.end_of_run(start, byte_class::token68);
    if (end > start && looks_like_token(window, start, end)) {
      out.add_run(start, window, end, run::token68);
    }
  }
}

}  // namespace sluice::matcher
