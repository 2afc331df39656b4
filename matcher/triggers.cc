#include "matcher/triggers.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sluice::matcher {
namespace {

/// What may stand two bytes behind '+' or '(' in a telephone number, and some more.
bool is_of_number(std::uint8_t byte) noexcept {
  const unsigned low = byte & 15U;
  return byte >= 0x20 && byte <= 0x3F && (low <= 9 || low >= 0xD);
}

/// Clears those of `bits` for which holds(byte's place) says no.
template <class Holds>
std::uint64_t those_that_hold(std::uint64_t bits, Holds&& holds) noexcept {
  std::uint64_t held = 0;
  for (; bits != 0; bits &= bits - 1) {
    if (holds(static_cast<std::ptrdiff_t>(std::countr_zero(bits)))) held |= bits & (~bits + 1);
  }
  return held;
}

}  // namespace

TriggerBytes trigger_bytes(const std::uint8_t* block) noexcept {
  const TriggerLanes lanes(block, ahead_classes);
  TriggerBytes found = lanes.trigger_bytes();
  found.may_be_rare = !lanes.rare.is_zero();
  return found;
}

TriggerBytes trigger_bytes_scalar(const std::uint8_t* block) noexcept {
  TriggerBytes found;
  for (unsigned i = 0; i < block_bytes; ++i) {
    const std::uint8_t byte = block[i];
    const auto put = [i](std::uint64_t& mask, bool is_set) { mask |= std::uint64_t{is_set} << i; };
    put(found.digit, is_digit(byte));
    put(found.joint, byte == ' ' || byte == '-' || byte == '.' || byte == '/');
    put(found.letterish, (byte & 0x40) != 0);
    put(found.second_bit, (byte & 2) != 0);
    const std::uint8_t ahead = block[i + 2];
    const auto is_r = [](std::uint8_t c) { return (c | 0x20) == 'r'; };
    found.may_be_rare = found.may_be_rare || byte == '@' || (byte == 'e' && ahead == 'J') ||
                        (byte == 'A' && ahead == 'I') || (is_r(byte) && is_r(ahead)) ||
                        ((byte == '+' || byte == '(') && is_of_number(ahead));
  }
  return found;
}

RareBytes rare_bytes(const std::uint8_t* block) noexcept {
  RareBytes found;
  std::uint64_t bits = TriggerLanes(block, ahead_classes).rare_bits(ahead_classes);
  for (; bits != 0; bits &= bits - 1) {
    look_at_rare(block + zeros_below(bits), bits & (~bits + 1), found);
  }
  return found;
}

RareBytes rare_bytes_scalar(const std::uint8_t* block) noexcept {
  RareBytes found;
  for (unsigned i = 0; i < block_bytes; ++i) {
    const std::string_view text = as_text(ByteView(block + i, 4));
    const auto is_any_case = [](char c, char lower) { return c == lower || c == lower - 32; };
    const bool is_bearer = is_any_case(text[0], 'r') && is_any_case(text[1], 'e') &&
                           is_any_case(text[2], 'r') && text[3] == ' ';
    const bool is_word =
        text[0] == '@' || text.starts_with("eyJ") || text == "AKIA" || text == "ASIA" || is_bearer;
    found.word |= std::uint64_t{is_word} << i;
    const bool is_opening =
        (text[0] == '+' || text[0] == '(') && is_digit(block[i + 1]) && is_of_number(block[i + 2]);
    found.opening |= std::uint64_t{is_opening} << i;
  }
  return found;
}

void NumberScan::confirm(Triggers& found, const std::uint8_t* text,
                         const std::uint8_t* block) noexcept {
  const std::ptrdiff_t first = text - block;
  const auto is_class = [&](std::ptrdiff_t at, std::uint16_t classes) {
    return at >= first && is_in(block[at], classes);
  };
  const auto is_at = [&](std::ptrdiff_t at, char c) {
    return at >= first && block[at] == static_cast<std::uint8_t>(c);
  };
  // Two letters and two digits, with no letter or digit before them.
  found.iban = those_that_hold(found.iban, [&](std::ptrdiff_t at) {
    return is_class(at - 3, byte_class::letter) && is_class(at - 2, byte_class::letter) &&
           !is_class(at - 4, byte_class::alnum);
  });
  const auto is_near = [&](std::ptrdiff_t at, char c, std::ptrdiff_t reach_max) {
    for (std::ptrdiff_t reach = 1; reach <= reach_max; ++reach) {
      if (is_at(at - reach, c)) return reach;
    }
    return std::ptrdiff_t{0};
  };
  found.ip = those_that_hold(found.ip, [&](std::ptrdiff_t at) {
    if (is_at(at, '.')) return is_at(at - 2, '.') || is_at(at - 3, '.') || is_at(at - 4, '.');
    if (!is_at(at, ':')) return false;
    const std::ptrdiff_t second = is_near(at, ':', 5);
    return second == 1 || (second != 0 && is_near(at - second, ':', 5) != 0);
  });
}

namespace {

/// Calls visit(triggers, where the block begins, its bytes) until it says true. Reads nothing
/// behind the text.
template <class Visit>
void visit_triggers(ByteView text, Visit&& visit) noexcept {
  constexpr std::size_t looked_at_bytes = block_bytes + trigger_ahead_bytes;
  NumberScan numbers;
  for (std::size_t at = 0; at < text.size(); at += block_bytes) {
    const std::uint8_t* block = text.data() + at;
    const std::size_t size = text.size() - at;
    std::array<std::uint8_t, looked_at_bytes> rest;
    if (size < looked_at_bytes) {
      rest.fill(0);
      std::copy_n(block, size, rest.begin());
      block = rest.data();
    }
    const TriggerLanes lanes(block, ahead_classes);
    Triggers found = numbers.candidates(lanes.trigger_bytes(), lanes.colons());
    if (!lanes.rare.is_zero()) {
      const RareBytes rare = rare_bytes(block);
      found.word = rare.word;
      found.opening = rare.opening;
    }
    if (found.any() == 0) continue;
    if ((found.iban | found.ip) != 0) {
      // The text's own bytes: what lies before the block counts too.
      NumberScan::confirm(found, text.data(), text.data() + at);
    }
    if (visit(found, at, block)) return;
  }
}

}  // namespace

BuiltinSet may_match(ByteView text) noexcept {
  unsigned set = 0;
  visit_triggers(text, [&set](const Triggers& found, std::size_t, const std::uint8_t* block) {
    set |= found.builtins(~std::uint64_t{0}, block);
    return false;
  });
  return static_cast<BuiltinSet>(set);
}

std::size_t first_trigger(ByteView text, BuiltinSet builtins) noexcept {
  std::size_t first = text.size();
  visit_triggers(text, [&](const Triggers& found, std::size_t at, const std::uint8_t*) {
    const std::uint64_t bits = found.of(builtins);
    if (bits == 0) return false;
    first = at + static_cast<std::size_t>(std::countr_zero(bits));
    return true;
  });
  return first;
}

}  // namespace sluice::matcher
