// JSON in which there is little to mask, 64 bytes at a time: checked against its
// grammar and passed over, but for the token in which a finder is triggered. What is
// not plain is left to the walk by tokens: escapes, names that a path may know, the
// input's end.
#include <algorithm>
#include <bit>

#include "matcher/body_walk.h"
#include "matcher/json_block.h"
#include "matcher/json_scalar.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

/// For fewer bytes rows do not pay.
constexpr std::size_t rows_bytes_min = 4 * block_bytes;

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
  TriggerBytes bytes;
  std::uint64_t quotes;
  std::uint64_t opening;    ///< Of the quotes.
  std::uint64_t in_string;  ///< With the opening quote, without the closing one.
  std::uint64_t marks;
  std::uint64_t blank;   ///< Between tokens.
  std::uint64_t scalar;  ///< Numbers and literals.
  std::uint64_t starts;  ///< The first byte of each of those.
  std::uint64_t colons_in_strings;

  [[nodiscard]] Unfinished unfinished() const noexcept { return {in_string >> 63, scalar >> 63}; }
};

/// A block that is looked at token by token.
struct BodyWalk::OddBlock : SkimBlock {
  std::uint64_t stops;  ///< What is not plain, and the input's end.
  Triggers triggers;
};

/// What is seen at a close look, one bit a byte.
struct BodyWalk::CloseLook {
  OddJsonBytes odd;
  RareBytes rare;
  std::uint64_t odd_in_string = 0;
  std::uint64_t names = 0;  ///< Opening quotes of what may be a name in a path.
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
  skim.depth_now = json_.depth;
  // Nothing before means a value before: a comma or the end may follow.
  skim.before.opens = std::uint64_t{json_.expects != JsonExpects::comma_or_close};
  skim.before.wants_value = skim.before.opens;
  skim.before.wants_name = std::uint64_t{json_.expects == JsonExpects::key_or_close};
  skim.flow = TokenFlow(skim.before, 0);
  for (;;) {
    if (skim.at >= skim.rows_from && skim.limit - skim.at >= rows_bytes_min) {
      pass_plain_rows(state_.isa, ByteView(in_).first(skim.limit), ahead_of_triggers(), json_.open,
                      skim);
    }
    if (pass_marked_block(skim)) continue;
    json_.depth = static_cast<std::uint8_t>(skim.depth_now);
    skim.before = skim.flow.before();
    const OddBlock block = cut_odd_block(skim);
    const Handled handled = handle_events(skim, block);
    if (handled.is_over) return handled.progress;
    const Checked checked = check_odd_tokens(skim, block, handled.tokens_left);
    if (checked != Checked::plain) return progress_of(checked);
    skim.go_on_behind(block.unfinished());
    skim.depth_now = json_.depth;
    skim.flow = TokenFlow(skim.before, skim.unfinished.in_string);
  }
}

/// Goes on behind one block, which may be odd or trigger, if nothing in it must be looked at
/// token by token. Else nothing is changed but what was masked.
[[gnu::noinline]] bool BodyWalk::pass_marked_block(Skim& skim) noexcept {
  if (skim.limit - skim.at < block_bytes + trigger_ahead_bytes) return false;
  const std::uint8_t* const bytes = in_.data() + skim.at;
  const TriggerLanes lanes(bytes, ahead_of_triggers());
  const bool is_odd = !(lanes.rare | odd_json_lanes(lanes)).is_zero();
  const CloseLook close = is_odd ? look_closely(bytes, skim.unfinished) : CloseLook{};
  if (close.odd_in_string != 0) return false;
  const SkimBlock block = cut_block(lanes, skim.unfinished, close.odd);
  if (!are_plain_scalars(ByteView(in_).first(skim.limit), skim.at, block.starts, block.scalar,
                         block.bytes.digit)) {
    return false;
  }
  const OpenBrackets open = json_.open;
  std::size_t depth = skim.depth_now;
  TokenFlow flow = skim.flow;
  const auto give_up = [&] {
    json_.open = open;
    return false;
  };
  if (!are_in_place(block, skim.at, skim.depth, depth, flow)) return give_up();
  NumberScan numbers = skim.numbers;
  const Triggers triggers = triggers_of(block, close, numbers);
  if ((triggers.any() | close.names) != 0 && !mask_in_place(skim, block, triggers, close.names)) {
    return give_up();
  }
  skim.flow = flow;
  skim.depth_now = depth;
  skim.numbers = numbers;
  skim.go_on_behind(block.unfinished());
  return true;
}

/// Whether the block's tokens stand where they may, and its brackets agree. If not, what
/// is known of open brackets is lost.
[[gnu::always_inline]] inline bool BodyWalk::are_in_place(const SkimBlock& block, std::size_t at,
                                                          std::size_t floor, std::size_t& depth,
                                                          TokenFlow& flow) noexcept {
  const std::uint64_t bracket = block.marks & block.bytes.letterish;
  const std::uint64_t second_bit = block.marks & block.bytes.second_bit;
  PlainTokens tokens;
  tokens.blank = block.blank;
  tokens.opening = block.opening;
  tokens.in_string = block.in_string;
  tokens.starts = block.starts;
  tokens.marks = block.marks;
  tokens.open = bracket & second_bit;
  tokens.close = bracket ^ tokens.open;
  tokens.colon = second_bit ^ tokens.open;
  std::uint64_t is_brace_now = json_.open.is_object();
  std::uint64_t in_object = all_if(is_brace_now != 0);
  for (std::uint64_t rest = bracket; rest != 0; rest &= rest - 1) {
    const unsigned place = zeros_below(rest);
    const std::uint8_t byte = in_[at + place];
    const std::uint64_t is_brace = byte >> 5 & 1U;  // Not '[' or ']'.
    if ((byte & 2) != 0) {
      if (depth == json_depth_max) return false;
      json_.open.push(is_brace);
      ++depth;
    } else {
      if (is_brace != is_brace_now || depth == floor) return false;
      json_.open.pop();
      --depth;
    }
    const std::uint64_t is_brace_before = is_brace_now;
    is_brace_now = json_.open.is_object();
    in_object ^= (0 - (is_brace_before ^ is_brace_now)) << place;
  }
  return flow.passes(tokens, in_object);
}

/// Masks what triggers or has a name in a block of plain tokens, at a second look. False
/// where a token is left to others.
[[gnu::noinline]] bool BodyWalk::mask_in_place(Skim& skim, const SkimBlock& block,
                                               Triggers triggers, std::uint64_t names) noexcept {
  if ((triggers.iban | triggers.ip) != 0) {
    NumberScan::confirm(triggers, in_.data(), in_.data() + skim.at);
  }
  std::uint64_t events = names | (triggers.of(rules_.builtins) & (block.in_string | block.scalar));
  const auto drop_masked = [&] {
    if (skim.masked_to > skim.at) {
      events &= ~bits_below(std::min(skim.masked_to - skim.at, block_bytes));
    }
  };
  for (drop_masked(); events != 0; drop_masked()) {
    const std::uint64_t event = events & (~events + 1);
    if ((names & event) != 0) {
      if (!mask_named(skim, block, event)) return false;
      events ^= event;
      continue;
    }
    const bool is_string = (block.in_string & event) != 0;
    const std::uint64_t begun = (is_string ? block.opening : block.starts) & bits_up_to(event);
    const std::size_t begin =
        begun != 0 ? skim.at + last_of(begun) : begin_of_token(skim.at, is_string);
    if (!mask_token(skim, triggers, begin)) return false;
  }
  return true;
}

/// Masks the value of a member if a path wants it masked. False where it is not all there,
/// or a path leads on into it.
/// quote  the bit at which what may be the member's name begins.
bool BodyWalk::mask_named(Skim& skim, const SkimBlock& block, std::uint64_t quote) noexcept {
  const std::size_t begin = skim.at + zeros_below(quote) + 1;
  const ByteView text = ByteView(in_).first(skim.limit);
  const auto size = plain_string_size(text.subspan(begin));
  if (!size) return false;
  const auto skip_space = [text](std::size_t at) {
    while (at < text.size() && is_json_space(text[at])) ++at;
    return at;
  };
  const std::size_t colon = skip_space(begin + *size + 1);
  if (colon >= text.size()) return false;
  if (text[colon] != ':') return true;  // A value.
  const std::uint64_t bracket = block.marks & block.bytes.letterish & bits_up_to(quote);
  const int opened = std::popcount(bracket & block.bytes.second_bit);
  const int closed = std::popcount(bracket & ~block.bytes.second_bit);
  const std::size_t depth = skim.depth_now + static_cast<std::size_t>(opened - closed);
  const PathTree& paths = rules_.program.paths;
  const PathNodes below = paths.below(json_.nodes[skim.depth]);
  const PathTarget target = paths.member(depth == skim.depth ? json_.nodes[depth] : below,
                                         as_text(text.subspan(begin, *size)));
  if (target.nodes != below) return false;
  const std::uint8_t rule = first_active(target.rules);
  if (rule == no_rule) return true;
  const std::size_t value = skip_space(colon + 1);
  if (value >= text.size() || text[value] != '"') return false;
  const auto value_size = plain_string_size(text.subspan(value + 1));
  if (!value_size) return false;
  const BuiltinSet builtins = triggered_in(value + 1, *value_size);
  if (!mask_plain_string(value + 1, *value_size, rule, builtins)) return false;
  skim.masked_to = value + *value_size + 2;
  return true;
}

[[gnu::noinline]] BodyWalk::OddBlock BodyWalk::cut_odd_block(Skim& skim) const noexcept {
  const std::size_t size = skim.limit - skim.at;
  const std::uint8_t* bytes = in_.data() + skim.at;
  std::array<std::uint8_t, block_bytes + trigger_ahead_bytes> rest;
  if (size < rest.size()) {
    std::fill(std::copy_n(bytes, size, rest.begin()), rest.end(), std::uint8_t{' '});
    bytes = rest.data();
  }
  const CloseLook close = look_closely(bytes, skim.unfinished);
  OddBlock block{cut_block(TriggerLanes(bytes, ahead_of_triggers()), skim.unfinished, close.odd),
                 close.odd_in_string | close.names,
                 {}};
  if (size < block_bytes) block.stops |= bit_at(size);
  if ((block.scalar >> 63) != 0 && block.starts != 0) {
    // A number or literal that goes on behind the block: perhaps up to the limit.
    const std::size_t place = last_of(block.starts);
    if (scalar_end(in_, skim.at + place) == skim.limit) block.stops |= bit_at(place);
  }
  block.triggers = triggers_of(block, close, skim.numbers);
  return block;
}

[[gnu::always_inline]] inline BodyWalk::SkimBlock BodyWalk::cut_block(
    const TriggerLanes& lanes, const Unfinished& before, const OddJsonBytes& odd) noexcept {
  SkimBlock block;
  block.bytes = lanes.trigger_bytes();
  const JsonBytes json = json_bytes(lanes);
  const Quoted quoted(json.quote, before.in_string);
  block.quotes = json.quote;
  block.opening = quoted.opening;
  block.in_string = quoted.in_string;
  const std::uint64_t outside = ~(quoted.in_string | json.quote);
  const std::uint64_t between = json.blank_or_mark & ~odd.any & outside;
  block.marks = between & ~block.bytes.joint;
  block.blank = (between & block.bytes.joint) | (odd.line_space & outside);
  block.scalar = outside & ~(between | odd.line_space);
  block.starts = block.scalar & ~(2 * block.scalar + before.scalar);
  block.colons_in_strings =
      json.blank_or_mark & quoted.in_string & block.bytes.second_bit & ~block.bytes.letterish;
  return block;
}

inline Triggers BodyWalk::triggers_of(const SkimBlock& block, const CloseLook& close,
                                      NumberScan& numbers) noexcept {
  Triggers triggers = numbers.candidates(block.bytes, block.colons_in_strings);
  triggers.word = close.rare.word;
  triggers.opening = close.rare.opening;
  return triggers;
}

const ByteClasses& BodyWalk::ahead_of_triggers() const noexcept {
  return rules_.has_paths ? rules_.program.ahead_classes : ahead_classes;
}

/// What few blocks ask for: odd bytes, rare words, names.
[[gnu::noinline]] BodyWalk::CloseLook BodyWalk::look_closely(
    const std::uint8_t* block, const Unfinished& before) const noexcept {
  const TriggerLanes lanes(block, ahead_of_triggers());
  const Quoted quoted(lanes.bits_of<trigger_class::quote>(), before.in_string);
  CloseLook look;
  if (!odd_json_lanes(lanes).is_zero()) {
    look.odd = odd_json_bytes(block);
    look.odd_in_string = look.odd.any & quoted.in_string;
  }
  if (lanes.rare.is_zero()) return look;
  std::uint64_t rest = lanes.rare_bits(ahead_of_triggers());
  for (; rest != 0; rest &= rest - 1) {
    const std::uint64_t bit = rest & (~rest + 1);
    const std::uint8_t* const text = block + zeros_below(rest);
    if (text[0] != '"') {
      look_at_rare(text, bit, look.rare);
    } else if ((quoted.opening & bit) != 0 && rules_.program.paths.may_be_name(text + 1)) {
      look.names |= bit;
    }
  }
  return look;
}

[[gnu::noinline]] BodyWalk::Checked BodyWalk::check_odd_tokens(Skim& skim, const SkimBlock& block,
                                                               std::uint64_t tokens) noexcept {
  for (std::uint64_t starts = tokens & block.starts; starts != 0; starts &= starts - 1) {
    const std::size_t begin = skim.at + zeros_below(starts);
    if (!is_scalar(ByteView(in_).subspan(begin, scalar_end(in_, begin) - begin))) {
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
  std::uint64_t is_brace_now = json_.open.is_object();
  std::uint64_t in_object = all_if(is_brace_now != 0);
  const std::uint64_t brackets = tokens & block.marks & block.bytes.letterish;
  for (std::uint64_t rest = brackets; rest != 0; rest &= rest - 1) {
    const unsigned place = zeros_below(rest);
    const auto nth = static_cast<unsigned>(std::popcount(tokens & bits_below(place)));
    const std::uint8_t byte = in_[skim.at + place];
    const std::uint64_t is_brace = byte >> 5 & 1U;  // Not '[' or ']'.
    const bool opens = (byte & 2) != 0;
    if (opens) {
      if (depth == json_depth_max) return Checked::malformed;
      json_.open.push(is_brace);
      ++depth;
    } else {
      if (is_brace != is_brace_now) return Checked::malformed;
      json_.open.pop();
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
    is_brace_now = json_.open.is_object();
    // Of a closing bracket nobody asks what is within.
    in_object ^= (0 - (is_brace_before ^ is_brace_now)) & ~bits_below(nth);
  }
  json_.depth = static_cast<std::uint8_t>(depth);
  const auto count = static_cast<unsigned>(std::popcount(tokens));
  return row.is_wrong(in_object, count, skim.before) ? Checked::malformed : Checked::plain;
}

/// Masks what triggers in the block, token by token, and finds where it stops to be
/// plain.
BodyWalk::Handled BodyWalk::handle_events(Skim& skim, const OddBlock& block) noexcept {
  Triggers triggers = block.triggers;
  if ((triggers.iban | triggers.ip) != 0) {
    NumberScan::confirm(triggers, in_.data(), in_.data() + skim.at);
  }
  const std::uint64_t in_scalar = block.scalar | block.scalar << 1 | skim.unfinished.scalar;
  const std::uint64_t all_tokens = block.opening | block.marks | block.starts;
  std::uint64_t tokens = all_tokens;
  std::uint64_t events = block.stops | triggers.of(rules_.builtins);
  while (events != 0) {
    const auto place = static_cast<std::size_t>(std::countr_zero(events));
    const std::uint64_t event = bit_at(place);
    const bool is_stop = (block.stops & event) != 0;
    // The token that it lies in, which may have begun in a block before. The input may
    // end directly behind one, of which more may come.
    const std::uint64_t in_token = block.in_string | (is_stop ? in_scalar : block.scalar);
    const bool is_in_token = (in_token & event) != 0;
    if (skim.at + place < skim.masked_to || (!is_stop && !is_in_token)) {
      events ^= event;
      continue;
    }
    const std::uint64_t begun = all_tokens & bits_up_to(event);
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
    size = scalar_end(in_, begin) - begin;
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
  const bool is_object = json_.open.is_object() != 0;
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
