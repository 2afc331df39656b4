#include "matcher/encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "matcher/byte_block.h"
#include "matcher/byte_class.h"

namespace sluice::matcher {
namespace {

constexpr std::uint32_t replacement_character = 0xFFFD;

int hex_value(std::uint8_t byte) noexcept {
  if (is_digit(byte)) return byte - '0';
  if (!is_in(byte, byte_class::hex)) return -1;
  return (byte | 0x20) - 'a' + 10;
}

/// One decoded sequence. `taken` is 0 when more input is needed, negative when
/// the input is malformed.
struct Sequence {
  int taken = 0;
  std::uint8_t size = 0;
  std::array<std::uint8_t, 4> bytes{};
};

constexpr Sequence needs_more{};
constexpr Sequence malformed{-1, 0, {}};

Sequence one_byte(int taken, std::uint8_t byte) noexcept {
  return {taken, 1, {byte, 0, 0, 0}};
}

Sequence as_utf8(int taken, std::uint32_t code) noexcept {
  const auto tail = [](std::uint32_t bits) {
    return static_cast<std::uint8_t>(0x80 | (bits & 0x3F));
  };
  if (code < 0x80) return one_byte(taken, static_cast<std::uint8_t>(code));
  if (code < 0x800) {
    return {taken, 2, {static_cast<std::uint8_t>(0xC0 | code >> 6), tail(code), 0, 0}};
  }
  if (code < 0x10000) {
    return {
        taken, 3, {static_cast<std::uint8_t>(0xE0 | code >> 12), tail(code >> 6), tail(code), 0}};
  }
  return {taken,
          4,
          {static_cast<std::uint8_t>(0xF0 | code >> 18), tail(code >> 12), tail(code >> 6),
           tail(code)}};
}

/// The four digits behind "\u": nothing yet (-1), no digits (-2), or the unit.
std::int32_t code_unit(ByteView in) noexcept {
  std::int32_t unit = 0;
  for (std::size_t i = 2; i < 6; ++i) {
    if (i >= in.size()) return -1;
    const int value = hex_value(in[i]);
    if (value < 0) return -2;
    unit = unit << 4 | value;
  }
  return unit;
}

Sequence unicode_escape(ByteView in) noexcept {
  const std::int32_t unit = code_unit(in);
  if (unit == -1) return needs_more;
  if (unit < 0) return malformed;
  const auto code = static_cast<std::uint32_t>(unit);
  const bool is_high = code >= 0xD800 && code < 0xDC00;
  const bool is_low = code >= 0xDC00 && code < 0xE000;
  // RFC 8259 §8.2 leaves a lone surrogate's meaning open; it is no character.
  if (is_low) return as_utf8(6, replacement_character);
  if (!is_high) return as_utf8(6, code);
  const ByteView rest = in.subspan(6);
  if (rest.empty()) return needs_more;
  if (rest[0] != '\\') return as_utf8(6, replacement_character);
  if (rest.size() < 2) return needs_more;
  if (rest[1] != 'u') return as_utf8(6, replacement_character);
  const std::int32_t second = code_unit(rest);
  if (second == -1) return needs_more;
  if (second < 0) return malformed;
  if (second < 0xDC00 || second >= 0xE000) return as_utf8(6, replacement_character);
  return as_utf8(12,
                 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(second) - 0xDC00));
}

Sequence json_escape(ByteView in) noexcept {
  if (in.size() < 2) return needs_more;
  switch (in[1]) {
    case '"':
      return one_byte(2, '"');
    case '\\':
      return one_byte(2, '\\');
    case '/':
      return one_byte(2, '/');
    case 'b':
      return one_byte(2, '\b');
    case 'f':
      return one_byte(2, '\f');
    case 'n':
      return one_byte(2, '\n');
    case 'r':
      return one_byte(2, '\r');
    case 't':
      return one_byte(2, '\t');
    case 'u':
      return unicode_escape(in);
    default:
      return malformed;
  }
}

Sequence json_sequence(ByteView in, bool last) noexcept {
  const std::uint8_t byte = in[0];
  Sequence sequence;
  if (byte == '\\') {
    sequence = json_escape(in);
  } else if (byte < 0x20) {
    sequence = malformed;  // RFC 8259 §7: control characters must be escaped.
  } else if (byte < 0x80) {
    return one_byte(1, byte);
  } else {
    const int size = utf8_sequence_size(in);
    if (size == 0) return malformed;
    if (size > 0) {
      sequence.taken = size;
      sequence.size = static_cast<std::uint8_t>(size);
      std::copy_n(in.begin(), size, sequence.bytes.begin());
    }
  }
  if (sequence.taken == 0 && last) return malformed;
  return sequence;
}

/// WHATWG URL §5.1: '+' is a space, and a '%' without two digits is itself.
Sequence form_sequence(ByteView in, bool last) noexcept {
  if (in[0] == '+') return one_byte(1, ' ');
  if (in[0] != '%') return one_byte(1, in[0]);
  if (in.size() >= 2 && hex_value(in[1]) < 0) return one_byte(1, '%');
  if (in.size() < 3) return last ? one_byte(1, '%') : needs_more;
  if (hex_value(in[2]) < 0) return one_byte(1, '%');
  return one_byte(3, static_cast<std::uint8_t>(hex_value(in[1]) << 4 | hex_value(in[2])));
}

/// The "%u0041" of older servers, which only loose decoding knows.
Sequence wide_form_escape(ByteView in) noexcept {
  if (in.size() < 6 || in[0] != '%' || (in[1] | 0x20) != 'u') return needs_more;
  const std::int32_t unit = code_unit(in);
  if (unit < 0) return needs_more;
  const auto code = static_cast<std::uint32_t>(unit);
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  return as_utf8(6, is_surrogate ? replacement_character : code);
}

bool ends_value(Encoding encoding, std::uint8_t byte) noexcept {
  switch (encoding) {
    case Encoding::raw:
      return false;
    case Encoding::json_string:
      return byte == '"';
    case Encoding::form_name:
      return byte == '&' || byte == '=';
    case Encoding::form_value:
      return byte == '&';
  }
  return false;
}

/// Bytes that do not stand for themselves in what is not raw.
Lanes is_special(Encoding encoding, Lanes bytes) noexcept {
  if (encoding == Encoding::json_string) {
    return bytes.is_beyond_print() | bytes.is('"') | bytes.is('\\');
  }
  return bytes.is('%') | bytes.is('+') | bytes.is('&') | bytes.is('=');
}

/// So that a text of nothing but escapes or of another alphabet is not looked at twice.
bool begins_plain(std::uint8_t byte) noexcept {
  return byte < 0x80 && byte != '\\' && byte != '%' && byte != '"';
}

/// Copies the bytes at the start of `in` that stand for themselves, up to one register
/// full of them, and gives how many. All three have room for a whole register.
std::size_t copy_plain(Encoding encoding, const std::uint8_t* in, std::size_t in_at,
                       std::uint8_t* out, std::uint32_t* offsets) noexcept {
  const Lanes bytes = Lanes::load(in);
  bytes.store(out);
  for (std::size_t i = 0; i < sizeof(Lanes); ++i) {
    offsets[i] = static_cast<std::uint32_t>(in_at + i);
  }
  const std::uint32_t special = is_special(encoding, bytes).bits();
  return static_cast<std::size_t>(std::countr_zero(special));
}

}  // namespace

int utf8_sequence_size(ByteView in) noexcept {
  const std::uint8_t lead = in[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const int size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // RFC 3629 §4: the second byte's range rules out overlong forms and surrogates.
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < static_cast<std::size_t>(size); ++i) {
    if (i >= in.size()) return -1;
    const bool is_tail = i == 1 ? in[i] >= low && in[i] <= high : (in[i] & 0xC0) == 0x80;
    if (!is_tail) return 0;
  }
  return size;
}

Decoded decode(Encoding encoding, ByteView in, bool last, ByteSpan out,
               std::span<std::uint32_t> offsets) noexcept {
  constexpr std::size_t sequence_bytes_max = 4;
  Decoded decoded;
  const auto stop = [&](DecodeStop why) {
    offsets[decoded.size] = static_cast<std::uint32_t>(decoded.consumed);
    decoded.stop = why;
    return decoded;
  };
  for (;;) {
    const std::size_t room = std::min(in.size() - decoded.consumed, out.size() - decoded.size);
    const bool has_room = room >= sizeof(Lanes) && encoding != Encoding::raw;
    if (has_room && begins_plain(in[decoded.consumed])) {
      const std::size_t plain =
          copy_plain(encoding, in.data() + decoded.consumed, decoded.consumed,
                     out.data() + decoded.size, offsets.data() + decoded.size);
      decoded.consumed += plain;
      decoded.size += plain;
      if (plain == sizeof(Lanes)) continue;
    }
    if (decoded.consumed == in.size()) return stop(DecodeStop::starved);
    if (out.size() - decoded.size < sequence_bytes_max) return stop(DecodeStop::full);
    const ByteView rest = in.subspan(decoded.consumed);
    if (ends_value(encoding, rest[0])) return stop(DecodeStop::end);
    const Sequence sequence = encoding == Encoding::raw           ? one_byte(1, rest[0])
                              : encoding == Encoding::json_string ? json_sequence(rest, last)
                                                                  : form_sequence(rest, last);
    if (sequence.taken < 0) return stop(DecodeStop::malformed);
    if (sequence.taken == 0) return stop(DecodeStop::starved);
    for (std::size_t i = 0; i < sequence.size; ++i) {
      offsets[decoded.size] = static_cast<std::uint32_t>(decoded.consumed);
      out[decoded.size++] = sequence.bytes[i];
    }
    decoded.consumed += static_cast<std::size_t>(sequence.taken);
  }
}

std::size_t decode_loosely(Encoding encoding, ByteView in, std::uint8_t* out) noexcept {
  const bool is_json = encoding == Encoding::json_string;
  std::size_t size = 0;
  for (std::size_t at = 0; at < in.size();) {
    Sequence sequence;
    if (is_json && in[at] == '\\') {
      sequence = json_escape(in.subspan(at));
    } else if (!is_json) {
      sequence = wide_form_escape(in.subspan(at));
      if (sequence.taken == 0) sequence = form_sequence(in.subspan(at), true);
    }
    if (sequence.taken <= 0) sequence = one_byte(1, in[at]);
    std::copy_n(sequence.bytes.begin(), sequence.size, out + size);
    size += sequence.size;
    at += static_cast<std::size_t>(sequence.taken);
  }
  return size;
}

std::size_t encode_byte(Encoding encoding, std::uint8_t byte, std::uint8_t* out) noexcept {
  constexpr std::string_view lower_digits = "0123456789abcdef";
  constexpr std::string_view upper_digits = "0123456789ABCDEF";
  const auto put_text = [out](std::string_view text) {
    std::copy(text.begin(), text.end(), out);
    return text.size();
  };
  const auto digit = [](std::string_view digits, unsigned value) {
    return static_cast<std::uint8_t>(digits[value]);
  };
  if (encoding == Encoding::json_string) {
    switch (byte) {
      case '"':
        return put_text("\\\"");
      case '\\':
        return put_text("\\\\");
      case '\b':
        return put_text("\\b");
      case '\f':
        return put_text("\\f");
      case '\n':
        return put_text("\\n");
      case '\r':
        return put_text("\\r");
      case '\t':
        return put_text("\\t");
      default:
        break;
    }
    if (byte < 0x20) {
      put_text("\\u00");
      out[4] = digit(lower_digits, byte >> 4);
      out[5] = digit(lower_digits, byte & 15U);
      return 6;
    }
  }
  if (encoding == Encoding::form_name || encoding == Encoding::form_value) {
    if (byte == ' ') return put_text("+");
    const bool is_itself =
        is_alnum(byte) || byte == '*' || byte == '-' || byte == '.' || byte == '_';
    if (!is_itself) {
      out[0] = '%';
      out[1] = digit(upper_digits, byte >> 4);
      out[2] = digit(upper_digits, byte & 15U);
      return 3;
    }
  }
  out[0] = byte;
  return 1;
}

}  // namespace sluice::matcher
