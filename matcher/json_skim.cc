// JSON in which there is little to mask, 64 bytes at a time: checked against its
// grammar and passed over, but for the token in which a finder is triggered. What is
// not plain is left to the walk by tokens: escapes, names that a path may know, the
// input's end.
#include <algorithm>
#include <bit>

#include "matcher/body_walk.h"
#include "matcher/json_block.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

bool is_json_literal(ByteView token) noexcept {
  const std::string_view text = as_text(token);
  return text == "true" || text == "false" || text == "null";
}

bool is_scalar(ByteView text) noexcept {
  const bool is_number = text[0] == '-' || is_digit(text[0]);
  return is_number ? text.size() <= json_number_bytes_max && is_json_number(text)
                   : is_json_literal(text);
}

/// Whether the byte belongs to a number or literal, or at least not to what is around it.
bool is_scalar_byte(std::uint8_t byte) noexcept {
  switch (byte) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '"':
    case ',':
    case ':':
    case '[':
    case ']':
    case '{':
    case '}':
      return false;
    default:
      return true;
  }
}

constexpr std::uint64_t bit_at(std::size_t place) noexcept {
  return std::uint64_t{1} << place;
}
/// `bit` and all bits below it.
constexpr std::uint64_t bits_up_to(std::uint64_t bit) noexcept {
  return bit ^ (bit - 1);
}
inline std::size_t last_of(std::uint64_t bits) noexcept {
  return 63 - zeros_above(bits);
}

}  // namespace

/// A block of JSON, cut into tokens.
struct BodyWalk::SkimBlock {
  std::size_t at = 0;  ///< In the input.
  TriggerBytes bytes;
  std::uint64_t quotes = 0;
  std::uint64_t in_string = 0;  ///< With the opening quote, without the closing one.
  std::uint64_t marks = 0;
  std::uint64_t scalar = 0;  ///< Numbers and literals.
  std::uint64_t starts = 0;  ///< The first byte of each of those.
  std::uint64_t tokens = 0;  ///< The first byte of each token.
  std::uint64_t stops = 0;   ///< What is not plain, and the input's end.
  Triggers triggers;
};

/// What is seen at a close look, one bit a byte.
struct BodyWalk::CloseLook {
  OddJsonBytes odd;
  RareBytes rare;
  std::uint64_t names = 0;
};

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
  Skim skim;
  skim.limit = rules_.has_expressions ? free_to_ : in_.size();
  skim.token_at = at_;
  // Nothing before means a value before: a comma or the end may follow.
  skim.before.opens = std::uint64_t{json_.expects != JsonExpects::comma_or_close};
  skim.before.wants_value = skim.before.opens;
  skim.before.wants_name = std::uint64_t{json_.expects == JsonExpects::key_or_close};
  const ByteClasses& ahead = rules_.has_paths ? rules_.program.ahead_classes : ahead_classes;
  for (std::size_t at = at_;; at += block_bytes) {
    const SkimBlock block = cut_block(ahead, skim, at);
    std::uint64_t tokens = block.tokens;
    if ((block.stops | block.triggers.any()) != 0) [[unlikely]] {
      Skim handled_skim = skim;  // So that the usual one need not be in memory.
      const Handled handled = handle_events(handled_skim, block);
      if (handled.is_over) return handled.progress;
      skim = handled_skim;
      tokens = handled.tokens_left;
    }
    if (tokens != 0) {
      const Checked checked = check_tokens(skim.before, block, tokens);
      if (checked != Checked::plain) {
        return checked == Checked::malformed ? Progress::malformed : Progress::done;
      }
    }
    if (block.tokens != 0) skim.token_at = at + last_of(block.tokens);
    skim.in_string = block.in_string >> 63;
    skim.scalar = block.scalar >> 63;
  }
}

[[gnu::always_inline]] inline BodyWalk::SkimBlock BodyWalk::cut_block(
    const ByteClasses& ahead, Skim& skim, std::size_t at) const noexcept {
  const std::size_t size = std::min(skim.limit - at, block_bytes);
  // What the input has behind it is enough but for the last byte's sake.
  std::array<std::uint8_t, block_bytes + trigger_ahead_bytes> rest;
  const std::uint8_t* const bytes = size < 2 ? padded(at, rest) : in_.data() + at;
  const TriggerLanes lanes(bytes, ahead);
  JsonBytes json = json_bytes(lanes);
  SkimBlock block;
  block.at = at;
  block.bytes = lanes.trigger_bytes();
  if (size < block_bytes) [[unlikely]] {
    const std::uint64_t there = bits_below(size);
    block.bytes.digit &= there;
    block.bytes.joint &= there;
    block.bytes.letterish &= there;
    json.quote &= there;
    json.mark &= there;
    json.blank |= ~there;
    block.stops = bit_at(size);
  }
  const Quoted quoted(json.quote, skim.in_string);
  block.quotes = json.quote;
  block.in_string = quoted.in_string;
  const std::uint64_t outside = ~(quoted.in_string | json.quote);
  if (!(lanes.rare | odd_json_lanes(lanes)).is_zero()) [[unlikely]] {
    const CloseLook look = look_closely(at, quoted.opening);
    const std::uint64_t there = bits_below(size);
    json.mark &= ~look.odd.any;
    json.blank |= look.odd.line_space;
    block.stops |= there & ((look.odd.any & quoted.in_string) | look.names);
    block.triggers.word = there & look.rare.word;
    block.triggers.opening = there & look.rare.opening;
  }
  block.marks = json.mark & outside;
  block.scalar = outside & ~(json.mark | json.blank);
  block.starts = block.scalar & ~(block.scalar << 1 | skim.scalar);
  block.tokens = quoted.opening | block.marks | block.starts;
  if ((block.scalar >> 63) != 0 && block.starts != 0) [[unlikely]] {
    // A number or literal that goes on behind the block: perhaps up to the limit.
    const std::size_t place = last_of(block.starts);
    if (scalar_end(at + place) == skim.limit) block.stops |= bit_at(place);
  }
  if (rules_.builtins != 0) {
    const std::uint64_t colon =
        json.mark & quoted.in_string & block.bytes.second_bit & ~block.bytes.letterish;
    const Triggers found = skim.numbers.candidates(block.bytes, colon);
    block.triggers.run = found.run;
    block.triggers.iban = found.iban;
    block.triggers.ip = found.ip;
  }
  return block;
}

/// The input from `at` on, with blanks behind it.
[[gnu::noinline]] const std::uint8_t* BodyWalk::padded(
    std::size_t at, std::span<std::uint8_t> room) const noexcept {
  const std::size_t size = std::min(in_.size() - at, room.size());
  std::fill(std::copy_n(in_.data() + at, size, room.begin()), room.end(), std::uint8_t{' '});
  return room.data();
}

/// What few blocks ask for: odd bytes, rare words, names.
[[gnu::noinline]] BodyWalk::CloseLook BodyWalk::look_closely(std::size_t at,
                                                             std::uint64_t opening) const noexcept {
  std::array<std::uint8_t, block_bytes + trigger_ahead_bytes> rest;
  const bool is_whole = in_.size() - at >= rest.size();
  const std::uint8_t* const bytes = is_whole ? in_.data() + at : padded(at, rest);
  CloseLook look;
  look.odd = odd_json_bytes(bytes);
  if (rules_.builtins != 0) look.rare = rare_bytes(bytes);
  if (rules_.has_paths) look.names = names_in(bytes, opening);
  return look;
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

/// Where the number or literal that begins at `begin` ends.
[[gnu::noinline]] std::size_t BodyWalk::scalar_end(std::size_t begin) const noexcept {
  std::size_t end = begin;
  while (end < in_.size() && is_scalar_byte(in_[end])) ++end;
  return end;
}

[[gnu::noinline]] bool BodyWalk::is_scalar_at(std::size_t begin) const noexcept {
  return is_scalar(ByteView(in_).subspan(begin, scalar_end(begin) - begin));
}

/// starts  of numbers and literals in the block.
[[gnu::always_inline]] inline bool BodyWalk::are_scalars(const SkimBlock& block,
                                                         std::uint64_t starts) const noexcept {
  for (; starts != 0; starts &= starts - 1) {
    const unsigned place = zeros_below(starts);
    const unsigned size = zeros_below(~(block.scalar >> place));
    const unsigned digits = zeros_below(~(block.bytes.digit >> place));
    const bool is_plain = digits == size && place + size < block_bytes;
    if (is_plain && (size == 1 || in_[block.at + place] != '0')) continue;
    if (!is_scalar_at(block.at + place)) return false;
  }
  return true;
}

/// Checks tokens against the grammar and follows brackets, until one leads to where
/// tokens must be looked at one by one.
[[gnu::always_inline]] inline BodyWalk::Checked BodyWalk::check_tokens(
    TokenBefore& last, const SkimBlock& block, std::uint64_t tokens) noexcept {
  if (!are_scalars(block, tokens & block.starts)) return Checked::malformed;
  const TokenRow row(tokens, block.marks, block.quotes, block.bytes);
  const auto count = static_cast<unsigned>(std::popcount(tokens));
  std::uint64_t in_object = json_.is_object[json_.depth] ? ~std::uint64_t{0} : 0;
  for (std::uint64_t brackets = row.open | row.close; brackets != 0; brackets &= brackets - 1) {
    const unsigned nth = zeros_below(brackets);
    const std::uint64_t bracket = bit_at(nth);
    const std::size_t place = zeros_below(_pdep_u64(bracket, tokens));
    const bool is_brace = (in_[block.at + place] & 0x20) != 0;  // Not '[' or ']'.
    if ((row.open & bracket) != 0) {
      if (json_.depth == json_depth_max) return Checked::malformed;
      ++json_.depth;
      json_.is_object[json_.depth] = is_brace;
      if (rules_.has_paths) {
        json_.nodes[json_.depth] = rules_.program.paths.below(json_.nodes[json_.depth - 1U]);
      }
      in_object = (in_object & (bracket - 1)) | (is_brace ? ~(bracket - 1) : 0);
      continue;
    }
    if (is_brace != json_.is_object[json_.depth]) return Checked::malformed;
    --json_.depth;
    const bool is_by_token =
        json_.depth == 0 ||
        (rules_.has_paths && rules_.program.paths.selects_by_place(json_.nodes[json_.depth]));
    if (is_by_token) {
      const std::uint64_t wrong = row.errors(in_object, nth + 1, last);
      if ((wrong & bits_up_to(bracket)) != 0) return Checked::malformed;
      at_ = block.at + place + 1;
      value_is_over();
      return Checked::closed;
    }
    const std::uint64_t behind = ~bits_up_to(bracket);
    in_object = (in_object & ~behind) | (json_.is_object[json_.depth] ? behind : 0);
  }
  const std::uint64_t wrong = row.errors(in_object, count, last) & bits_below(count);
  return wrong != 0 ? Checked::malformed : Checked::plain;
}

/// Masks what triggers in the block, token by token, and finds where it stops to be
/// plain.
BodyWalk::Handled BodyWalk::handle_events(Skim& skim, const SkimBlock& block) noexcept {
  Triggers triggers = block.triggers;
  if ((triggers.iban | triggers.ip) != 0) {
    NumberScan::confirm(triggers, in_.data(), in_.data() + block.at);
  }
  const std::uint64_t in_scalar = block.scalar | block.scalar << 1 | skim.scalar;
  std::uint64_t tokens = block.tokens;
  std::uint64_t events = block.stops | triggers.of(rules_.builtins);
  while (events != 0) {
    const auto place = static_cast<std::size_t>(std::countr_zero(events));
    const std::uint64_t event = bit_at(place);
    const bool is_stop = (block.stops & event) != 0;
    // The token that it lies in, which may have begun in a block before. The input may
    // end directly behind one, of which more may come.
    const std::uint64_t in_token = block.in_string | (is_stop ? in_scalar : block.scalar);
    const bool is_in_token = (in_token & event) != 0;
    if (!is_stop && (!is_in_token || block.at + place < skim.masked_to)) {
      events ^= event;
      continue;
    }
    const std::uint64_t begun = block.tokens & bits_up_to(event);
    const bool is_earlier = is_in_token && begun == 0;
    std::uint64_t before = tokens & bits_up_to(event);
    std::size_t begin = block.at + place;
    if (is_earlier) {
      begin = skim.token_at;
    } else if (is_in_token) {
      before &= bits_below(last_of(begun));
      begin = block.at + last_of(begun);
    }
    if (before != 0) {
      const Checked checked = check_tokens(skim.before, block, before);
      if (checked != Checked::plain) {
        return {true, checked == Checked::malformed ? Progress::malformed : Progress::done, 0};
      }
      tokens &= ~before;
    }
    if (!is_stop && mask_token(skim, block.at, triggers, begin)) {
      events &= ~bits_below(std::min(skim.masked_to - block.at, block_bytes));
      continue;
    }
    skim_from_ = block.at + place + 1;
    at_ = begin;
    resume_tokens(skim.before, is_earlier);
    return {true, Progress::done, 0};
  }
  return {false, Progress::done, tokens};
}

/// Masks the token at `begin` if it is plain and all there.
/// triggers  in the block at `at`, in which the token is or ends or goes on.
bool BodyWalk::mask_token(Skim& skim, std::size_t at, const Triggers& triggers,
                          std::size_t begin) noexcept {
  const ByteView text = ByteView(in_).first(skim.limit).subspan(begin);
  const bool is_string = text[0] == '"';
  std::size_t size = 0;
  if (is_string) {
    const auto plain = plain_string_size(text.subspan(1));
    if (!plain) return false;
    size = *plain + 2;
  } else {
    size = scalar_end(begin) - begin;
    if (size >= text.size() || size > json_number_bytes_max) return false;
  }
  const std::size_t end = begin + size;
  const std::uint64_t before = begin > at ? bits_below(begin - at) : 0;
  unsigned builtins = triggers.builtins(bits_below(std::min(end - at, block_bytes)) & ~before);
  if (end > at + block_bytes) builtins |= may_match(text.first(size));
  builtins &= rules_.builtins;
  const bool is_masked =
      is_string
          ? mask_plain_string(begin + 1, size - 2, no_rule, static_cast<BuiltinSet>(builtins))
          : mask_number(begin, size, no_rule, static_cast<BuiltinSet>(builtins)) == Progress::done;
  if (is_masked) skim.masked_to = end;
  return is_masked;
}

/// Sets what the walk by tokens expects behind the last token that was checked, or
/// where that begins.
void BodyWalk::resume_tokens(const TokenBefore& last, bool is_from_its_begin) noexcept {
  const bool is_object = json_.is_object[json_.depth];
  if (is_from_its_begin) {
    json_.expects = last.is_name != 0 ? JsonExpects::key : JsonExpects::value;
  } else if (last.opens != 0) {
    json_.expects = is_object ? JsonExpects::key_or_close : JsonExpects::value_or_close;
  } else if (last.wants_name != 0) {
    json_.expects = JsonExpects::key;
  } else if (last.wants_value != 0) {
    json_.expects = JsonExpects::value;
  } else {
    json_.expects = last.is_name != 0 ? JsonExpects::colon : JsonExpects::comma_or_close;
  }
  // A name that was passed over is in no path.
  json_.next_rule = no_rule;
  if (rules_.has_paths) {
    json_.next_nodes = rules_.program.paths.below(json_.nodes[json_.depth]);
  }
}

}  // namespace sluice::matcher
