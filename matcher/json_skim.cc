// JSON in which there is nothing to mask, 64 bytes at a time: checked against its
// grammar and passed over. Whatever is not plain is left to the walk by tokens:
// escapes, what triggers a finder, names that a path may know, the input's end.
#include <algorithm>
#include <bit>

#include "matcher/body_walk.h"
#include "matcher/json_block.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

/// One block, cut into tokens.
struct TokenBlock {
  JsonBytes bytes;
  std::uint64_t in_string = 0;  ///< With the opening quote, without the closing one.
  std::uint64_t opening = 0;    ///< Quotes.
  std::uint64_t marks = 0;      ///< Brackets, commas, colons.
  std::uint64_t scalar = 0;     ///< All else outside strings but white space.
  std::uint64_t tokens = 0;     ///< The first byte of each.

  TokenBlock(const std::uint8_t* block, std::size_t size, std::uint64_t in_string_before) noexcept
      : bytes(json_bytes(block)) {
    const std::uint64_t there = bits_below(size);
    const std::uint64_t quote = bytes.quote & there;
    in_string = parity_up_to(quote) ^ in_string_before;
    opening = quote & in_string;
    const std::uint64_t outside = ~(in_string | quote) & there;
    if (outside == 0 && opening == 0) return;  // Most of a long string looks like this.
    marks = (bytes.open | bytes.close | bytes.comma | bytes.colon) & outside;
    scalar = outside & ~(marks | bytes.space);
    tokens = opening | marks | (scalar & ~(scalar << 1));
  }

  /// The first byte of a number or literal whose end is not in the block.
  [[nodiscard]] std::uint64_t open_scalar(std::size_t size) const noexcept {
    if (size == 0) return 0;
    const auto run = static_cast<unsigned>(std::countl_one(scalar << (block_bytes - size)));
    return run == 0 ? 0 : std::uint64_t{1} << (size - run);
  }
};

bool is_json_literal(ByteView token) noexcept {
  const std::string_view text = as_text(token);
  return text == "true" || text == "false" || text == "null";
}

bool are_scalars(const std::uint8_t* block, std::uint64_t scalar, std::uint64_t starts) noexcept {
  for (; starts != 0; starts &= starts - 1) {
    const auto at = static_cast<unsigned>(std::countr_zero(starts));
    const auto size = static_cast<std::size_t>(std::countr_one(scalar >> at));
    const ByteView text(block + at, size);
    const bool is_number = text[0] == '-' || is_digit(text[0]);
    if (is_number ? !is_json_number(text) : !is_json_literal(text)) return false;
  }
  return true;
}

}  // namespace

bool BodyWalk::may_skim() noexcept {
  if (at_ < skim_from_ || json_.depth == 0 || is_hidden()) return false;
  if (rules_.has_paths && rules_.program.paths.selects_by_place(json_.nodes[json_.depth])) {
    return false;
  }
  const bool is_at_rest = json_.expects == JsonExpects::comma_or_close ||
                          json_.expects == JsonExpects::key_or_close ||
                          json_.expects == JsonExpects::value_or_close;
  return is_at_rest && (!rules_.has_expressions || is_free_of_expressions());
}

/// One scan of raw text spares one for each value: where it sees nothing, no plain
/// value matches. What it sees need not be a match.
bool BodyWalk::is_free_of_expressions() noexcept {
  constexpr std::size_t scanned_bytes = 4096;
  constexpr std::size_t pause_bytes = 512;  // Else many matches would mean many scans.
  if (rules_.program.asks_for_edges) return false;
  if (at_ < free_to_) return true;
  if (at_ < scan_from_ || at_ == in_.size()) return false;
  const ByteView ahead = ByteView(in_).subspan(at_, std::min(in_.size() - at_, scanned_bytes));
  const std::size_t end = first_expression_end(rules_, ahead, state_);
  const bool has_match = end < ahead.size();
  free_to_ = at_ + (has_match ? end - 1 : end);
  scan_from_ = free_to_ + (has_match ? pause_bytes : 0);
  return at_ < free_to_;
}

BodyWalk::Progress BodyWalk::skim_json() noexcept {
  constexpr std::uint64_t last_token = 2;
  TokenRow row;  // Nothing before means a value before: a comma or the end may follow.
  if (json_.expects != JsonExpects::comma_or_close) row.open = last_token;
  if (json_.expects == JsonExpects::key_or_close) row.brace = last_token;
  TriggerScan triggers;
  std::uint64_t in_string_before = 0;
  std::size_t string_at = at_;  // Of the last string.
  for (std::size_t at = at_;; at += block_bytes) {
    const std::size_t size = std::min(in_.size() - at, block_bytes);
    const std::uint8_t* block = in_.data() + at;
    std::array<std::uint8_t, block_bytes + trigger_ahead_bytes> rest;
    if (size < block_bytes) {
      rest.fill(' ');
      std::copy_n(block, size, rest.begin());
      block = rest.data();
    }
    const TokenBlock cut(block, size, in_string_before);
    std::uint64_t stops = (cut.bytes.odd & cut.in_string) | cut.open_scalar(size);
    if (rules_.builtins != 0) {
      const Triggers found = triggers.next(block, cut.in_string | cut.scalar);
      stops |= found.of(rules_.builtins);
    }
    if (rules_.has_expressions && free_to_ - at < block_bytes) {
      stops |= std::uint64_t{1} << (free_to_ - at);
    }
    if (size < block_bytes) stops |= std::uint64_t{1} << size;
    if ((cut.tokens | stops) == 0) {
      in_string_before = std::uint64_t{0} - (cut.in_string >> (block_bytes - 1));
      continue;
    }
    if (rules_.has_paths) stops |= names_in(block, cut.opening);
    if (std::popcount(cut.tokens) > int{TokenRow::count_max}) {
      stops |= _pdep_u64(std::uint64_t{1} << (TokenRow::count_max - 1), cut.tokens);
    }

    // Up to the stop all is plain, but for the token that it lies in.
    std::uint64_t plain = cut.tokens & (stops ^ (stops - 1));
    std::size_t end = at + static_cast<std::size_t>(std::countr_zero(stops));
    bool is_in_block = true;
    if (stops != 0) {
      skim_from_ = end + 1;
      is_in_block = plain != 0;
      if (is_in_block) {
        const std::uint64_t last = std::bit_floor(plain);
        const bool is_mark = (cut.marks & last) != 0;
        end = at + static_cast<std::size_t>(std::countr_zero(last)) + (is_mark ? 1 : 0);
        if (!is_mark) plain ^= last;
      }
    }
    if (!are_scalars(block, cut.scalar, plain & cut.scalar)) return Progress::malformed;
    row.take(plain, cut.bytes);
    const auto count = static_cast<unsigned>(std::popcount(plain));
    const SkimmedRow skimmed = skim_row(row, count);
    if (skimmed.is_malformed) return Progress::malformed;
    if (skimmed.closing != 0) {
      const std::uint64_t closing = _pdep_u64(skimmed.closing, plain);
      at_ = at + static_cast<std::size_t>(std::countr_zero(closing)) + 1;
      value_is_over();
      return Progress::done;
    }
    row.forget(count);
    const std::uint64_t strings = plain & cut.opening;
    if (strings != 0) {
      string_at = at + static_cast<std::size_t>(std::countr_zero(std::bit_floor(strings)));
    }
    if (stops != 0) {
      const bool is_in_string = !is_in_block && (row.string & last_token) != 0;
      at_ = is_in_string ? string_at : end;
      resume_tokens(row, is_in_string ? 1 : last_token);
      return Progress::done;
    }
    in_string_before = std::uint64_t{0} - (cut.in_string >> (block_bytes - 1));
  }
}

/// Checks a row's tokens and goes through its brackets, until one leads to where
/// tokens must be looked at one by one.
BodyWalk::SkimmedRow BodyWalk::skim_row(const TokenRow& row, unsigned count) noexcept {
  const TokenErrors errors = token_errors(row);
  std::uint64_t unchecked = bits_below(count) << TokenRow::first;
  std::uint64_t wrong = errors.anywhere & unchecked;
  bool is_object = json_.is_object[json_.depth];
  for (std::uint64_t brackets = (row.open | row.close) & unchecked; brackets != 0;
       brackets &= brackets - 1) {
    const std::uint64_t bracket = brackets & (~brackets + 1);
    const std::uint64_t up_to_it = unchecked & (brackets ^ (brackets - 1));
    wrong |= up_to_it & (is_object ? errors.in_object : errors.in_array);
    unchecked ^= up_to_it;
    const bool is_brace = (row.brace & bracket) != 0;
    if ((row.open & bracket) != 0) {
      if (json_.depth == json_depth_max) return {true, 0};
      ++json_.depth;
      json_.is_object[json_.depth] = is_brace;
      if (rules_.has_paths) {
        json_.nodes[json_.depth] = rules_.program.paths.below(json_.nodes[json_.depth - 1U]);
      }
      is_object = is_brace;
      continue;
    }
    if (is_brace != is_object) return {true, 0};
    --json_.depth;
    is_object = json_.is_object[json_.depth];
    const bool is_by_token =
        json_.depth == 0 ||
        (rules_.has_paths && rules_.program.paths.selects_by_place(json_.nodes[json_.depth]));
    if (is_by_token) return {(wrong & ~unchecked) != 0, bracket >> TokenRow::first};
  }
  wrong |= unchecked & (is_object ? errors.in_object : errors.in_array);
  return {wrong != 0, 0};
}

/// Opening quotes of what may be a name in a path.
std::uint64_t BodyWalk::names_in(const std::uint8_t* block, std::uint64_t opening) const noexcept {
  std::uint64_t names = 0;
  for (; opening != 0; opening &= opening - 1) {
    const std::uint8_t* const name = block + std::countr_zero(opening) + 1;
    if (rules_.program.paths.may_be_name(name)) names |= opening & (~opening + 1);
  }
  return names;
}

/// Sets what the walk by tokens expects behind the token `before` of the row.
void BodyWalk::resume_tokens(const TokenRow& row, std::uint64_t before) noexcept {
  const bool is_object = json_.is_object[json_.depth];
  if ((row.open & before) != 0) {
    json_.expects = is_object ? JsonExpects::key_or_close : JsonExpects::value_or_close;
  } else if ((row.comma & before) != 0) {
    json_.expects = is_object ? JsonExpects::key : JsonExpects::value;
  } else if ((row.colon & before) != 0) {
    json_.expects = JsonExpects::value;
  } else {
    json_.expects = JsonExpects::comma_or_close;
  }
  // A name that was passed over is in no path.
  json_.next_rule = no_rule;
  if (rules_.has_paths) {
    json_.next_nodes = rules_.program.paths.below(json_.nodes[json_.depth]);
  }
}

}  // namespace sluice::matcher
