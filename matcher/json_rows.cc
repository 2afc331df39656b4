// Plain JSON many blocks at a time: what vectors say of each byte is asked ahead, and tokens
// are moved together, so that the grammar is checked for up to 64 of them at once.
#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "matcher/block_look.h"
#include "matcher/json_scalar.h"
#include "matcher/skim.h"

namespace sluice::matcher {
namespace {

constexpr std::size_t blocks_at_once = 4;

/// A block of plain JSON, cut into tokens.
struct PlainBlock {
  std::uint64_t tokens;  ///< The first byte of each, one bit a byte.
  std::uint64_t marks;   ///< Of those.
  std::uint64_t colons_in_strings;
  Unfinished unfinished;
};

/// Cuts the block at in[at] into tokens. False if it is not plain.
[[gnu::always_inline]] inline bool cut(ByteView in, std::size_t at, const BlockBits& bits,
                                       const Unfinished& before, PlainBlock& plain) noexcept {
  const Quoted quoted(bits.quote, before.in_string);
  const std::uint64_t line_space = bits.blank & ~bits.joint;
  if ((bits.odd | (line_space & quoted.in_string)) != 0) return false;
  const std::uint64_t outside = ~(quoted.in_string | bits.quote);
  plain.marks = bits.mark & outside;
  const std::uint64_t scalar = outside & ~(bits.mark | bits.blank);
  const std::uint64_t starts = scalar & ~(2 * scalar + before.scalar);
  if (!are_plain_scalars(in, at, starts, scalar, bits.digit)) return false;
  plain.tokens = plain.marks | quoted.opening | starts;
  plain.colons_in_strings = bits.mark & bits.second & ~bits.letterish & quoted.in_string;
  plain.unfinished = {quoted.in_string >> 63, scalar >> 63};
  return true;
}

/// Goes on behind the block unless something in it triggers.
[[gnu::always_inline]] inline bool pass_numbers(NumberScan& numbers, const BlockBits& bits,
                                                const PlainBlock& block) noexcept {
  TriggerBytes bytes;
  bytes.digit = bits.digit;
  bytes.joint = bits.joint;
  bytes.letterish = bits.letterish;
  bytes.second_bit = bits.second;
  return numbers.pass(bytes, block.colons_in_strings);
}

/// Follows the block's brackets. False where one closes another kind, or what lies at
/// `floor`, or they are too many; what is known of them is lost then.
/// in_object  becomes, from each bracket on, whether what follows is in an object.
[[gnu::always_inline]] inline bool follow_brackets(const BlockBits& bits, std::uint64_t marks,
                                                   std::size_t floor, std::size_t& depth,
                                                   OpenBrackets& open,
                                                   std::uint64_t& in_object) noexcept {
  std::uint64_t in_object_now = open.is_object();
  in_object = 0 - in_object_now;
  for (std::uint64_t rest = marks & bits.letterish; rest != 0; rest &= rest - 1) {
    const unsigned place = zeros_below(rest);
    const std::uint64_t is_object = bits.joint >> place & 1;
    if ((bits.second >> place & 1) != 0) {
      if (depth == json_depth_max) return false;
      open.push(is_object);
      ++depth;
    } else {
      if (is_object != in_object_now || depth == floor) return false;
      open.pop();
      --depth;
    }
    const std::uint64_t in_object_before = std::exchange(in_object_now, open.is_object());
    in_object ^= (0 - (in_object_before ^ in_object_now)) << place;
  }
  return true;
}

/// Tokens of some blocks that are still to be checked, one bit a token.
class TokenStore {
 public:
  static constexpr unsigned tokens_max = 64;

  [[nodiscard]] bool has_room_for(const PlainBlock& block) const noexcept {
    return count_ + static_cast<unsigned>(std::popcount(block.tokens)) <= tokens_max;
  }
  void add(const PlainBlock& block, const BlockBits& bits, std::uint64_t in_object) noexcept {
    const auto put = [&](std::uint64_t& row, std::uint64_t which) {
      row |= _pext_u64(which, block.tokens) << (count_ % tokens_max);
    };
    put(mark_, block.marks);
    put(string_, bits.quote);
    put(bracket_, bits.letterish);
    put(second_, bits.second);
    put(in_object_, in_object);
    count_ += static_cast<unsigned>(std::popcount(block.tokens));
  }

  /// Whether the tokens stand where they may behind those before. There are none left then.
  bool pass(TokenBefore& before) noexcept {
    if (count_ == 0) return true;
    const std::uint64_t bracket = bracket_ & mark_;
    TokenRow::Kinds kinds{};
    kinds.mark = mark_;
    kinds.string = string_;
    kinds.open = bracket & second_;
    kinds.close = bracket ^ kinds.open;
    kinds.colon = mark_ & second_ & ~bracket;
    const bool is_right = !TokenRow(kinds).is_wrong(in_object_, count_, before);
    *this = {};
    return is_right;
  }

 private:
  std::uint64_t mark_ = 0;
  std::uint64_t string_ = 0;
  std::uint64_t bracket_ = 0;  ///< If it is a mark.
  std::uint64_t second_ = 0;   ///< BlockBits::second
  std::uint64_t in_object_ = 0;
  unsigned count_ = 0;
};

}  // namespace

void pass_plain_rows(Isa isa, ByteView in, const ByteClasses& ahead, OpenBrackets& open,
                     Skim& skim) noexcept {
  alignas(64) std::array<BlockBits, blocks_at_once> looked_at;
  TokenStore store;
  std::size_t at = skim.at;
  Unfinished before = skim.unfinished;
  NumberScan numbers = skim.numbers;
  std::size_t depth = skim.depth_now;
  OpenBrackets open_now = open;
  TokenBefore last = skim.flow.before();
  // Whether all before `at` is in its place.
  const auto settle = [&] {
    if (!store.pass(last)) {
      skim.rows_from = at;
      return false;
    }
    open = open_now;
    skim.at = at;
    skim.unfinished = before;
    skim.numbers = numbers;
    skim.depth_now = depth;
    skim.flow = TokenFlow(last, before.in_string);
    return true;
  };
  bool is_plain = true;
  while (is_plain && in.size() - at >= block_bytes + trigger_ahead_bytes) {
    const std::size_t left = (in.size() - at - trigger_ahead_bytes) / block_bytes;
    const std::size_t wanted = std::min(left, blocks_at_once);
    const std::size_t count = look_at_blocks(isa)(in.data() + at, wanted, ahead, looked_at.data());
    for (const BlockBits& bits : std::span(looked_at).first(count)) {
      PlainBlock block;
      is_plain = cut(in, at, bits, before, block);
      if (!is_plain) break;
      if (!store.has_room_for(block) && !settle()) return;
      OpenBrackets open_behind = open_now;
      std::size_t depth_behind = depth;
      std::uint64_t in_object = 0;
      is_plain =
          follow_brackets(bits, block.marks, skim.depth, depth_behind, open_behind, in_object) &&
          pass_numbers(numbers, bits, block);
      if (!is_plain) break;
      store.add(block, bits, in_object);
      open_now = open_behind;
      depth = depth_behind;
      before = block.unfinished;
      at += block_bytes;
    }
    is_plain = is_plain && count == wanted;
  }
  settle();
}

}  // namespace sluice::matcher
