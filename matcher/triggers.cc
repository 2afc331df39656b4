#include "matcher/triggers.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sluice::matcher {

TriggerBytes trigger_bytes_scalar(const std::uint8_t* block) noexcept {
  TriggerBytes found;
  for (unsigned i = 0; i < block_bytes; ++i) {
    const std::uint8_t* const at = block + i;
    const std::uint64_t bit = std::uint64_t{1} << i;
    const auto put = [&](std::uint64_t& mask, bool is_set) { mask |= is_set ? bit : 0; };
    const auto is_any_case = [](std::uint8_t byte, char lower) {
      return byte == lower || byte == lower - 32;
    };
    put(found.rare, *at == '@' || (at[0] == 'y' && at[1] == 'J') ||
                        (at[0] == 'I' && at[1] == 'A') ||
                        (is_any_case(at[0], 'r') && is_any_case(at[1], 'e') &&
                         is_any_case(at[2], 'r') && at[3] == ' '));
    put(found.digit, is_digit(*at));
    put(found.letter, is_in(*at, byte_class::letter));
    put(found.chain, is_digit(*at) || *at == ' ' || *at == '-' || *at == '.' || *at == '/');
    put(found.opening, *at == '+' || *at == '(');
    put(found.dot, *at == '.');
    put(found.colon, *at == ':');
  }
  return found;
}

std::uint64_t TriggerScan::colons_of_ipv6(std::uint64_t colon, std::uint64_t before) noexcept {
  __extension__ using Wide = unsigned __int128;
  const auto near = [](Wide bits) {
    return bits << 1 | bits << 2 | bits << 3 | bits << 4 | bits << 5;
  };
  const Wide colons = Wide{colon} << 64 | before;
  const Wide two = colons & near(colons);
  return static_cast<std::uint64_t>((colons & (colons << 1 | near(two))) >> 64);
}

namespace {

/// Calls visit(triggers, where the block begins) until it says true. Reads nothing
/// behind the text.
template <class Visit>
void visit_triggers(ByteView text, Visit&& visit) noexcept {
  constexpr std::size_t looked_at_bytes = block_bytes + trigger_ahead_bytes;
  TriggerScan scan;
  for (std::size_t at = 0; at < text.size(); at += block_bytes) {
    const std::uint8_t* block = text.data() + at;
    const std::size_t size = text.size() - at;
    std::array<std::uint8_t, looked_at_bytes> rest;
    if (size < looked_at_bytes) {
      rest.fill(0);
      std::copy_n(block, size, rest.begin());
      block = rest.data();
    }
    if (visit(scan.next(block, bits_below(size)), at)) return;
  }
}

}  // namespace

BuiltinSet may_match(ByteView text) noexcept {
  Triggers all;
  visit_triggers(text, [&](const Triggers& found, std::size_t) {
    all.rare |= found.rare;
    all.run |= found.run;
    all.opening |= found.opening;
    all.iban |= found.iban;
    all.ip |= found.ip;
    return false;
  });
  unsigned set = 0;
  if (all.rare != 0) set |= rare_builtins;
  if (all.run != 0) set |= run_builtins;
  if (all.opening != 0) set |= bit_of(Builtin::phone);
  if (all.iban != 0) set |= bit_of(Builtin::iban);
  if (all.ip != 0) set |= bit_of(Builtin::ip);
  return static_cast<BuiltinSet>(set);
}

std::size_t first_trigger(ByteView text, BuiltinSet builtins) noexcept {
  std::size_t first = text.size();
  visit_triggers(text, [&](const Triggers& found, std::size_t at) {
    const std::uint64_t bits = found.of(builtins);
    if (bits == 0) return false;
    first = at + static_cast<std::size_t>(std::countr_zero(bits));
    return true;
  });
  return first;
}

}  // namespace sluice::matcher
