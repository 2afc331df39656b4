// JSON in which there is little to mask, 64 bytes at a time: checked against its
// grammar and passed over, but for the token in which a finder is triggered. What is
// not plain is left to the walk by tokens: escapes, names that a path may know, the
// input's end.
#include <algorithm>
#include <bit>
#include <cstring>

#include "matcher/body_walk.h"
#include "matcher/json_block.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

/// text  has a readable tail.
bool is_json_literal(ByteView text) noexcept {
  const auto is = [text](const char* four) {
    return std::memcmp(text.data(), four, 4) == 0;  // One comparison of words.
  };
  return text.size() == 4 ? is("true") || is("null")
                          : text.size() == 5 && is("fals") && text[4] == 'e';
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
constexpr std::uint64_t all_if(bool is_set) noexcept {
  return std::uint64_t{0} - std::uint64_t{is_set};
}
inline std::size_t last_of(std::uint64_t bits) noexcept {
  return 63 - zeros_above(bits);
}

}  // namespace

/// A block of JSON, cut into tokens.
struct BodyWalk::SkimBlock {
  TriggerBytes bytes;
  std::uint64_t quotes;
  std::uint64_t in_string;  ///< With the opening quote, without the closing one.
  std::uint64_t marks;
  std::uint64_t scalar;  ///< Numbers and literals.
  std::uint64_t starts;  ///< The first byte of each of those.
  std::uint64_t tokens;  ///< The first byte of each token.
  std::uint64_t stops;   ///< What is not plain, and the input's end.
  Triggers triggers;
};

inline void BodyWalk::Skim::go_on_behind(const SkimBlock& block) noexcept {
  at += block_bytes;
  in_string = block.in_string >> 63;
  scalar = block.scalar >> 63;
}

/// What is seen at a close look, one bit a byte.
struct BodyWalk::CloseLook {
  OddJsonBytes odd;
  RareBytes rare;
  std::uint64_t names = 0;
};

/// Whether values at `depth`, which what is skimmed lies in, are to be looked at one by one.
bool BodyWalk::is_by_token(std::size_t depth) const noexcept {
  return depth == 0 ||
         (rules_.has_paths && rules_.program.paths.selects_by_place(json_.nodes[depth]));
}

bool BodyWalk::may_skim() noexcept {
  if (at_ < skim_from_ || is_hidden() || is_by_token(json_.depth)) return false;
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
  skim.at = at_;
  skim.limit = rules_.has_expressions ? free_to_ : in_.size();
  skim.depth = json_.depth;
  // Nothing before means a value before: a comma or the end may follow.
  skim.before.opens = std::uint64_t{json_.expects != JsonExpects::comma_or_close};
  skim.before.wants_value = skim.before.opens;
  skim.before.wants_name = std::uint64_t{json_.expects == JsonExpects::key_or_close};
  for (;;) {
    Checked checked = pass_plain_blocks(skim);
    if (checked == Checked::plain) {
      const SkimBlock block = cut_odd_block(skim);
      const Handled handled = handle_events(skim, block);
      if (handled.is_over) return handled.progress;
      checked = check_odd_tokens(skim, block, handled.tokens_left);
      skim.go_on_behind(block);
    }
    if (checked != Checked::plain) return progress_of(checked);
  }
}

/// Goes on to the next block with anything but plain tokens: what triggers, what is not
/// plain, the limit. What it works with is its own, so that it can stay in registers.
[[gnu::noinline]] BodyWalk::Checked BodyWalk::pass_plain_blocks(Skim& passed) noexcept {
  Skim skim = passed;
  const ByteClasses ahead = ahead_of_triggers();
  Checked checked = Checked::plain;
  while (checked == Checked::plain && skim.limit - skim.at >= block_bytes + trigger_ahead_bytes) {
    const TriggerLanes lanes(in_.data() + skim.at, ahead);
    const bool is_odd = !(lanes.rare | odd_json_lanes(lanes)).is_zero();
    Skim next = skim;
    SkimBlock block;
    if (is_odd) [[unlikely]] {
      block = cut_block(lanes, next, [&](std::uint64_t opening) {
        return look_closely(in_.data() + skim.at, opening);
      });
      if (block.stops != 0) break;
    } else {
      block = cut_block(lanes, next, [](std::uint64_t) { return CloseLook{}; });
    }
    if (block.triggers.any() != 0) [[unlikely]] {
      if (may_trigger(block.triggers, skim.at)) break;
    }
    if (!are_plain_scalars(block, skim.at)) break;
    checked = check_tokens(next, block, block.tokens);
    skim = next;
    skim.go_on_behind(block);
  }
  passed = skim;
  return checked;
}

[[gnu::noinline]] BodyWalk::SkimBlock BodyWalk::cut_odd_block(Skim& skim) const noexcept {
  const std::size_t size = skim.limit - skim.at;
  const std::uint8_t* bytes = in_.data() + skim.at;
  std::array<std::uint8_t, block_bytes + trigger_ahead_bytes> rest;
  if (size < rest.size()) {
    std::fill(std::copy_n(bytes, size, rest.begin()), rest.end(), std::uint8_t{' '});
    bytes = rest.data();
  }
  const TriggerLanes lanes(bytes, ahead_of_triggers());
  const bool is_odd = !(lanes.rare | odd_json_lanes(lanes)).is_zero();
  SkimBlock block = cut_block(lanes, skim, [&](std::uint64_t opening) {
    return is_odd ? look_closely(bytes, opening) : CloseLook{};
  });
  if (size < block_bytes) block.stops |= bit_at(size);
  if ((block.scalar >> 63) != 0 && block.starts != 0) {
    // A number or literal that goes on behind the block: perhaps up to the limit.
    const std::size_t place = last_of(block.starts);
    if (scalar_end(skim.at + place) == skim.limit) block.stops |= bit_at(place);
  }
  return block;
}

/// look  gives, for the opening quotes, what is seen at a close look.
template <class Look>
[[gnu::always_inline]] inline BodyWalk::SkimBlock BodyWalk::cut_block(const TriggerLanes& lanes,
                                                                      Skim& skim,
                                                                      Look&& look) const noexcept {
  SkimBlock block;
  block.bytes = lanes.trigger_bytes();
  const JsonBytes json = json_bytes(lanes);
  const Quoted quoted(json.quote, skim.in_string);
  block.quotes = json.quote;
  block.in_string = quoted.in_string;
  const CloseLook close = look(quoted.opening);
  block.stops = (close.odd.any & quoted.in_string) | close.names;
  const std::uint64_t strings = quoted.in_string | json.quote;
  const std::uint64_t between = json.blank_or_mark & ~close.odd.any;
  block.marks = between & ~(block.bytes.joint | strings);
  block.scalar = ~(between | close.odd.line_space | strings);
  block.starts = block.scalar & ~(2 * block.scalar + skim.scalar);
  block.tokens = quoted.opening | block.marks | block.starts;
  const std::uint64_t colon =
      json.blank_or_mark & quoted.in_string & block.bytes.second_bit & ~block.bytes.letterish;
  block.triggers = skim.numbers.candidates(block.bytes, colon);
  block.triggers.word = close.rare.word;
  block.triggers.opening = close.rare.opening;
  return block;
}

const ByteClasses& BodyWalk::ahead_of_triggers() const noexcept {
  return rules_.has_paths ? rules_.program.ahead_classes : ahead_classes;
}

/// Whether what triggers in the block at `at` means an active built-in, at a second look.
[[gnu::always_inline]] inline bool BodyWalk::may_trigger(Triggers triggers,
                                                         std::size_t at) const noexcept {
  if (triggers.of(rules_.builtins) == 0) return false;
  if ((triggers.iban | triggers.ip) != 0) {
    NumberScan::confirm(triggers, in_.data(), in_.data() + at);
  }
  return triggers.of(rules_.builtins) != 0;
}

/// What few blocks ask for: odd bytes, rare words, names.
BodyWalk::CloseLook BodyWalk::look_closely(const std::uint8_t* block,
                                           std::uint64_t opening) const noexcept {
  CloseLook look;
  look.odd = odd_json_bytes(block);
  if (rules_.builtins != 0) look.rare = rare_bytes(block);
  if (rules_.has_paths) look.names = names_in(block, opening);
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

/// Whether `text`, which has a readable tail, is a literal or a number such as "12" or
/// "-12.50": no other is plain.
/// digits  from its first byte on.
[[gnu::always_inline]] inline bool is_plain_scalar(const std::uint8_t* text, unsigned size,
                                                   std::uint64_t digits) noexcept {
  const unsigned sign = text[0] == '-' ? 1 : 0;
  const std::uint8_t first = text[sign];
  const unsigned whole = zeros_below(~(digits >> sign));
  if (whole == 0) return is_json_literal({text, size});
  if (first == '0' && whole > 1) return false;
  const unsigned dot = sign + whole;
  if (dot == size) return true;
  const unsigned fraction = zeros_below(~(digits >> (dot + 1)));
  return text[dot] == '.' && fraction > 0 && dot + 1 + fraction == size;
}

[[gnu::always_inline]] inline bool BodyWalk::are_plain_scalars(const SkimBlock& block,
                                                               std::size_t at) const noexcept {
  for (std::uint64_t starts = block.starts; starts != 0; starts &= starts - 1) {
    const unsigned place = zeros_below(starts);
    const unsigned size = zeros_below(~(block.scalar >> place));
    const bool ends_here = place + size < block_bytes;
    if (!ends_here || !is_plain_scalar(in_.data() + at + place, size, block.bytes.digit >> place)) {
      return false;
    }
  }
  return true;
}

[[gnu::noinline]] BodyWalk::Checked BodyWalk::check_odd_tokens(Skim& skim, const SkimBlock& block,
                                                               std::uint64_t tokens) noexcept {
  for (std::uint64_t starts = tokens & block.starts; starts != 0; starts &= starts - 1) {
    const std::size_t begin = skim.at + zeros_below(starts);
    if (!is_scalar(ByteView(in_).subspan(begin, scalar_end(begin) - begin))) {
      return Checked::malformed;
    }
  }
  return check_tokens(skim, block, tokens);
}

/// Checks tokens, numbers and literals apart, against the grammar and follows brackets,
/// until one leads to where tokens must be looked at one by one.
[[gnu::always_inline]] inline BodyWalk::Checked BodyWalk::check_tokens(
    Skim& skim, const SkimBlock& block, std::uint64_t tokens) noexcept {
  if (tokens == 0) return Checked::plain;
  const TokenRow row(tokens, block.marks, block.quotes, block.bytes);
  std::size_t depth = json_.depth;
  std::uint64_t is_brace_now = all_if(json_.is_object[depth]);
  std::uint64_t in_object = is_brace_now;
  const std::uint64_t brackets = tokens & block.marks & block.bytes.letterish;
  for (std::uint64_t rest = brackets; rest != 0; rest &= rest - 1) {
    const unsigned place = zeros_below(rest);
    const auto nth = static_cast<unsigned>(std::popcount(tokens & bits_below(place)));
    const std::uint8_t byte = in_[skim.at + place];
    const bool is_brace = (byte & 0x20) != 0;  // Not '[' or ']'.
    const bool opens = (byte & 2) != 0;
    if (opens) {
      if (depth == json_depth_max) return Checked::malformed;
      json_.is_object[++depth] = is_brace;
    } else {
      if (is_brace != json_.is_object[depth]) return Checked::malformed;
      if (--depth < skim.depth) {
        if (is_by_token(depth)) {
          if (row.is_wrong(in_object, nth + 1, skim.before)) return Checked::malformed;
          at_ = skim.at + place + 1;
          json_.depth = static_cast<std::uint8_t>(depth);
          value_is_over();
          return Checked::closed;
        }
        skim.depth = depth;
      }
    }
    const std::uint64_t is_brace_before = is_brace_now;
    is_brace_now = all_if(json_.is_object[depth]);
    // Of a closing bracket nobody asks what is within.
    in_object ^= (is_brace_before ^ is_brace_now) & ~bits_below(nth);
  }
  json_.depth = static_cast<std::uint8_t>(depth);
  const auto count = static_cast<unsigned>(std::popcount(tokens));
  return row.is_wrong(in_object, count, skim.before) ? Checked::malformed : Checked::plain;
}

/// Masks what triggers in the block, token by token, and finds where it stops to be
/// plain.
BodyWalk::Handled BodyWalk::handle_events(Skim& skim, const SkimBlock& block) noexcept {
  Triggers triggers = block.triggers;
  if ((triggers.iban | triggers.ip) != 0) {
    NumberScan::confirm(triggers, in_.data(), in_.data() + skim.at);
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
    if (!is_stop && (!is_in_token || skim.at + place < skim.masked_to)) {
      events ^= event;
      continue;
    }
    const std::uint64_t begun = block.tokens & bits_up_to(event);
    const bool is_earlier = is_in_token && begun == 0;
    std::uint64_t before = tokens & bits_up_to(event);
    std::size_t begin = skim.at + place;
    if (is_earlier) {
      begin = begin_of_token(skim.at, (block.in_string & event) != 0);
    } else if (is_in_token) {
      before &= bits_below(last_of(begun));
      begin = skim.at + last_of(begun);
    }
    if (before != 0) {
      const Checked checked = check_odd_tokens(skim, block, before);
      if (checked != Checked::plain) {
        return {true, progress_of(checked), 0};
      }
      tokens &= ~before;
    }
    if (!is_stop && mask_token(skim, triggers, begin)) {
      events &= ~bits_below(std::min(skim.masked_to - skim.at, block_bytes));
      continue;
    }
    skim_from_ = skim.at + place + 1;
    at_ = begin;
    resume_tokens(skim, is_earlier);
    return {true, Progress::done, 0};
  }
  return {false, Progress::done, tokens};
}

/// Where the token begins that is not over at `at` and holds no escapes.
std::size_t BodyWalk::begin_of_token(std::size_t at, bool is_string) const noexcept {
  const auto is_before = [&](std::uint8_t byte) {
    return is_string ? byte == '"' : !is_scalar_byte(byte);
  };
  while (!is_before(in_[at - 1])) --at;
  return is_string ? at - 1 : at;
}

/// Masks the token at `begin` if it is plain and all there.
/// triggers  in the block at skim.at, in which the token is or ends or goes on.
bool BodyWalk::mask_token(Skim& skim, const Triggers& triggers, std::size_t begin) noexcept {
  const std::size_t at = skim.at;
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
  unsigned builtins =
      triggers.builtins(bits_below(std::min(end - at, block_bytes)) & ~before, in_.data() + at);
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
void BodyWalk::resume_tokens(const Skim& skim, bool is_from_its_begin) noexcept {
  const TokenBefore& last = skim.before;
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
    json_.next_nodes = rules_.program.paths.below(json_.nodes[skim.depth]);
    std::fill(json_.nodes.begin() + static_cast<std::ptrdiff_t>(skim.depth) + 1,
              json_.nodes.begin() + json_.depth + 1, json_.next_nodes);
  }
}

}  // namespace sluice::matcher
