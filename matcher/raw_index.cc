#include "matcher/raw_index.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

namespace sluice::matcher {
namespace {

/// 64 bits and those that follow, so that patterns may cross words.
__extension__ using Wide = unsigned __int128;

Wide join(std::uint64_t low, std::uint64_t high) noexcept {
  return Wide{high} << 64 | low;
}

/// Places from which at least 11 or 13 bits are set.
Wide runs_of_8(Wide bits) noexcept {
  const Wide two = bits & bits >> 1;
  const Wide four = two & two >> 2;
  return four & four >> 4;
}
std::uint64_t runs_of_11(Wide bits) noexcept {
  const Wide eight = runs_of_8(bits);
  return static_cast<std::uint64_t>(eight & eight >> 3);
}
std::uint64_t runs_of_13(Wide bits) noexcept {
  const Wide eight = runs_of_8(bits);
  return static_cast<std::uint64_t>(eight & eight >> 5);
}

struct Half {
  __m256i bytes;
  __m256i folded;  // ASCII letters in lower case; other bytes may collide, which is checked.

  explicit Half(const std::uint8_t* from) noexcept
      : bytes(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))),
        folded(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20))) {}

  [[nodiscard]] static std::uint32_t bits(__m256i lanes) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(lanes));
  }
  [[nodiscard]] std::uint32_t is(char c) const noexcept {
    return bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c)));
  }
  [[nodiscard]] std::uint32_t is_folded(char lower) const noexcept {
    return bits(_mm256_cmpeq_epi8(folded, _mm256_set1_epi8(lower)));
  }
  /// low <= byte <= high, as unsigned bytes.
  [[nodiscard]] static std::uint32_t between(__m256i lanes, char low, char high) noexcept {
    const __m256i shifted = _mm256_sub_epi8(lanes, _mm256_set1_epi8(low));
    const __m256i limit = _mm256_set1_epi8(static_cast<char>(high - low));
    return bits(_mm256_cmpeq_epi8(_mm256_min_epu8(shifted, limit), shifted));
  }
};

template <class Ask>
std::uint64_t both(const Half& low, const Half& high, Ask&& ask) noexcept {
  return std::uint64_t{ask(high)} << 32 | ask(low);
}

}  // namespace

ByteMasks classify(const std::uint8_t* bytes) noexcept {
  const Half low(bytes);
  const Half high(bytes + 32);
  const auto is = [&](char c) { return both(low, high, [c](const Half& h) { return h.is(c); }); };
  const auto is_folded = [&](char c) {
    return both(low, high, [c](const Half& h) { return h.is_folded(c); });
  };
  ByteMasks masks;
  masks.quote = is('"');
  masks.odd = is('\\') | both(low, high, [](const Half& h) {
                return Half::bits(h.bytes) | Half::between(h.bytes, 0, 0x1F);
              });
  masks.digit = both(low, high, [](const Half& h) { return Half::between(h.bytes, '0', '9'); });
  masks.letter = both(low, high, [](const Half& h) { return Half::between(h.folded, 'a', 'z'); });
  masks.space = is(' ');
  masks.hyphen = is('-');
  masks.dot = is('.');
  masks.slash = is('/');
  masks.opening = is('+') | is('(');
  masks.at_sign = is('@');
  masks.colon = is(':');
  masks.any_e = is_folded('e');
  masks.any_r = is_folded('r');
  masks.lower_y = is('y');
  masks.upper_j = is('J');
  masks.upper_a = is('A');
  masks.upper_i = is('I');
  return masks;
}

ByteMasks classify_scalar(const std::uint8_t* bytes) noexcept {
  ByteMasks masks;
  for (unsigned i = 0; i < 64; ++i) {
    const std::uint8_t byte = bytes[i];
    const std::uint64_t bit = std::uint64_t{1} << i;
    const auto put = [&](std::uint64_t& mask, bool is_set) { mask |= is_set ? bit : 0; };
    put(masks.quote, byte == '"');
    put(masks.odd, byte == '\\' || byte < 0x20 || byte >= 0x80);
    put(masks.digit, is_digit(byte));
    put(masks.letter, is_in(byte, byte_class::letter));
    put(masks.space, byte == ' ');
    put(masks.hyphen, byte == '-');
    put(masks.dot, byte == '.');
    put(masks.slash, byte == '/');
    put(masks.opening, byte == '+' || byte == '(');
    put(masks.at_sign, byte == '@');
    put(masks.colon, byte == ':');
    put(masks.any_e, byte == 'e' || byte == 'E');
    put(masks.any_r, byte == 'r' || byte == 'R');
    put(masks.lower_y, byte == 'y');
    put(masks.upper_j, byte == 'J');
    put(masks.upper_a, byte == 'A');
    put(masks.upper_i, byte == 'I');
  }
  return masks;
}

void RawIndex::build(ByteView text, std::size_t at) noexcept {
  text_ = text;
  base_ = at;
  indexed_ = std::min(text.size() - at, bytes_max);
  const std::size_t count = (indexed_ + 63) / 64;
  // The last word may reach into the readable tail, whose bytes mean nothing:
  // no string ends there, as stops_ says.
  for (std::size_t w = 0; w < count; ++w) {
    masks_[w] = classify(text.data() + at + w * 64);
    stops_[w] = masks_[w].quote | masks_[w].odd;
  }
  masks_[count] = {};
  const std::size_t rest = indexed_ % 64;
  if (rest != 0) stops_[count - 1] &= (std::uint64_t{1} << rest) - 1;
  build_triggers(count);
}

/// For each built-in a condition that every match of it meets at some byte of
/// its own (docs/masks.md, "Triggers").
void RawIndex::build_triggers(std::size_t count) noexcept {
  std::uint64_t alnum_before = 0;
  std::uint64_t digit_before = 0;
  for (std::size_t w = 0; w < count; ++w) {
    const ByteMasks& now = masks_[w];
    const ByteMasks& next = masks_[w + 1];
    const Wide digit = join(now.digit, next.digit);
    const Wide letter = join(now.letter, next.letter);
    const Wide before_digit = digit >> 1;
    const Wide after_digit = digit << 1 | digit_before >> 63;
    const Wide joined = before_digit & after_digit;
    const Wide card_marks = join(now.space | now.hyphen, next.space | next.hyphen);
    const Wide phone_marks = card_marks | join(now.dot | now.slash, next.dot | next.slash);
    // The last byte's neighbour is out of sight: count it as joined.
    const Wide unseen = Wide{1} << 127;
    const Wide card_run = digit | (card_marks & (joined | unseen));
    const Wide phone_run = digit | (phone_marks & (joined | unseen));

    const auto alnum = now.digit | now.letter;
    const Wide dot = join(now.dot, next.dot);
    const Wide colon = join(now.colon, next.colon);
    const Wide near_colon = colon >> 1 | colon >> 2 | colon >> 3 | colon >> 4 | colon >> 5;
    const Wide two_colons = colon & near_colon;
    const Wide three_colons = two_colons & (two_colons >> 1 | two_colons >> 2 | two_colons >> 3 |
                                            two_colons >> 4 | two_colons >> 5);
    const Wide octet_between_dots =
        dot & digit >> 1 & (dot >> 2 | (digit >> 2 & (dot >> 3 | (digit >> 3 & dot >> 4))));

    const auto low = [](Wide bits) { return static_cast<std::uint64_t>(bits); };
    auto& by = by_builtin_[w];
    const auto put = [&by](Builtin builtin, std::uint64_t bits) {
      by[static_cast<std::size_t>(builtin)] = bits;
    };
    put(Builtin::payment_card, runs_of_13(card_run));
    put(Builtin::us_ssn, runs_of_11(card_run));
    put(Builtin::phone, runs_of_11(phone_run) | (now.opening & low(before_digit)));
    put(Builtin::iban,
        low(letter & letter >> 1 & digit >> 2 & digit >> 3) & ~(alnum << 1 | alnum_before >> 63));
    put(Builtin::email, now.at_sign);
    put(Builtin::jwt, low(join(now.any_e, next.any_e) & join(now.lower_y, next.lower_y) >> 1 &
                          join(now.upper_j, next.upper_j) >> 2));
    const Wide upper_a = join(now.upper_a, next.upper_a);
    put(Builtin::aws_key, low(upper_a & join(now.upper_i, next.upper_i) >> 2 & upper_a >> 3));
    put(Builtin::bearer_token, low(join(now.any_e, next.any_e) & join(now.any_r, next.any_r) >> 1 &
                                   join(now.space, next.space) >> 2));
    put(Builtin::ip, low(octet_between_dots | three_colons | (colon & colon >> 1)));

    std::uint64_t any = 0;
    for (const std::uint64_t bits : by) any |= bits;
    triggers_[w] = any;
    alnum_before = alnum;
    digit_before = now.digit;
  }
}

bool RawIndex::find_plain(std::size_t from, PlainString& found) const noexcept {
  const std::size_t count = (indexed_ + 63) / 64;
  std::size_t w = from / 64;
  found.size = 0;
  if (from >= indexed_) return false;
  std::uint64_t stop = stops_[w] & ~std::uint64_t{0} << (from % 64);
  while (stop == 0 && ++w < count) stop = stops_[w];
  if (stop == 0) {
    found.size = indexed_ - from;
    return false;
  }
  const std::size_t end = w * 64 + static_cast<std::size_t>(std::countr_zero(stop));
  if ((masks_[w].quote >> (end % 64) & 1U) == 0) return false;
  found.size = end - from;
  found.may_match = triggers_in(from, end);
  return true;
}

BuiltinSet RawIndex::triggers_in(std::size_t from, std::size_t end) const noexcept {
  BuiltinSet set = 0;
  for (std::size_t w = from / 64; w * 64 < end; ++w) {
    std::uint64_t inside = ~std::uint64_t{0};
    if (w == from / 64) inside <<= from % 64;
    if (end < (w + 1) * 64) inside &= (std::uint64_t{1} << (end % 64)) - 1;
    if ((triggers_[w] & inside) == 0) continue;
    for (std::size_t b = 0; b < by_builtin_[w].size(); ++b) {
      if ((by_builtin_[w][b] & inside) != 0) set = static_cast<BuiltinSet>(set | 1U << b);
    }
  }
  return set;
}

BuiltinSet RawIndex::may_match(ByteView text, std::size_t at, std::size_t size) noexcept {
  if (size == 0) return 0;
  if (!covers(text, at) || at + size > base_ + indexed_) build(text, at);
  if (at + size > base_ + indexed_) return all_builtins_set;
  return triggers_in(at - base_, at - base_ + size);
}

}  // namespace sluice::matcher
