#include "matcher/render.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "matcher/byte_block.h"
#include "matcher/byte_class.h"
#include "matcher/limits.h"

namespace sluice::matcher {
namespace {

class Writer {
 public:
  Writer(Encoding encoding, ByteSpan out) noexcept
      : encoding_(encoding),
        is_form_(encoding == Encoding::form_name || encoding == Encoding::form_value),
        out_(out) {}
  void put(std::uint8_t byte) noexcept {
    ASSERT(out_.size() - size_ >= encoded_byte_bytes_max);
    if ((is_itself(byte) && !is_form_) || is_alnum(byte) || byte == '*') {
      out_[size_++] = byte;
      return;
    }
    size_ += encode_byte(encoding_, byte, out_.data() + size_);
  }
  /// Text of ours, none of whose bytes needs encoding but in forms.
  void put_plain(std::string_view text) noexcept {
    if (!is_form_) {
      std::memcpy(take(text.size()), text.data(), text.size());
      return;
    }
    for (const char c : text) put(static_cast<std::uint8_t>(c));
  }
  /// For `size` bytes that stand for themselves.
  std::uint8_t* take(std::size_t size) noexcept {
    ASSERT(out_.size() - size_ >= size);
    size_ += size;
    return out_.data() + size_ - size;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_form() const noexcept { return is_form_; }
  /// In all encodings but those of forms.
  static bool is_itself(std::uint8_t byte) noexcept {
    return byte > 0x1F && byte != '"' && byte != '\\';
  }

 private:
  Encoding encoding_;
  bool is_form_;
  ByteSpan out_;
  std::size_t size_ = 0;
};

/// Bytes of the character at `at`: a code point is never cut, and a byte that
/// belongs to none is a character of its own.
std::size_t character_size(ByteView value, std::size_t at) noexcept {
  if (value[at] < 0x80) return 1;
  const int size = utf8_sequence_size(value.subspan(at));
  return size > 0 ? static_cast<std::size_t>(size) : 1;
}

bool is_letter_or_digit(std::uint8_t first_byte) noexcept {
  return is_in(first_byte, byte_class::alnum | byte_class::high);
}

/// A value short enough to be looked at in one go, with blanks behind it.
class ShortValue {
 public:
  explicit ShortValue(ByteView value) noexcept : in_value_(bits_below(value.size())) {
    text_.fill(' ');
    std::memcpy(text_.data(), value.data(), value.size());
  }
  /// Whether each byte is a character that stands for itself.
  [[nodiscard]] bool is_plain() const noexcept {
    return ask_block(text_.data(), [](const std::uint8_t* half) {
             const Lanes bytes = Lanes::load(half);
             return bytes.is_beyond_print() | bytes.is('"') | bytes.is('\\');
           }) == 0;
  }
  /// The letters and digits that are not shown. Where none would be left to hide, none is
  /// shown.
  [[nodiscard]] std::uint64_t hidden(const Show& show) const noexcept {
    const std::uint64_t letters = in_value_ & ask_block(text_.data(), [](const auto* half) {
                                    return Lanes::load(half).is_alnum();
                                  });
    const auto count = static_cast<std::size_t>(std::popcount(letters));
    if (count <= std::size_t{show.first} + show.last) return letters;
    return _pdep_u64(bits_below(count - show.last) & ~bits_below(show.first), letters);
  }
  /// Writes stars in the places of `hidden`.
  void star(std::uint64_t hidden) noexcept {
    for (std::size_t half = 0; half < block_bytes; half += sizeof(Lanes)) {
      const Lanes stars = Lanes::of_bits(static_cast<std::uint32_t>(hidden >> half));
      Lanes::load(text_.data() + half).or_where(stars, Lanes::all('*')).store(text_.data() + half);
    }
  }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return text_.data(); }

 private:
  std::array<std::uint8_t, block_bytes> text_;
  std::uint64_t in_value_;
};

void render_partial(const Show& show, ByteView value, Writer& out) noexcept {
  if (!out.is_form() && value.size() <= block_bytes) {
    ShortValue text(value);
    if (text.is_plain()) {
      text.star(text.hidden(show));
      std::memcpy(out.take(value.size()), text.data(), value.size());
      return;
    }
  }
  std::size_t letters = 0;
  for (std::size_t at = 0; at < value.size(); at += character_size(value, at)) {
    if (is_letter_or_digit(value[at])) ++letters;
  }
  const bool is_short = letters <= std::size_t{show.first} + show.last;
  const std::size_t first = is_short ? 0 : show.first;
  const std::size_t hidden = letters - first - (is_short ? 0 : show.last);
  std::size_t nth = 0;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t size = character_size(value, at);
    const bool is_letter = is_letter_or_digit(value[at]);
    const bool is_star = is_letter && nth - first < hidden;
    nth += std::size_t{is_letter};
    for (std::size_t i = 0; i < size; ++i) out.put(is_star ? std::uint8_t{'*'} : value[at + i]);
    at += size;
  }
}

void render_hash(bool normalised, const KeyedHash& hash, ByteView value, Writer& out) noexcept {
  constexpr std::size_t digest_bytes_shown = 8;
  constexpr std::string_view hex_digits = "0123456789abcdef";
  KeyedHash::Digest digest;
  if (normalised) {
    std::array<std::uint8_t, match_shown_bytes_max> kept;
    std::size_t size = 0;
    for (const std::uint8_t byte : value) {
      const bool is_lower = is_in(byte, byte_class::lower);
      if (is_letter_or_digit(byte))
        kept[size++] = is_lower ? static_cast<std::uint8_t>(byte - 32) : byte;
    }
    digest = hash.of({kept.data(), size});
  } else {
    digest = hash.of(value);
  }
  out.put_plain("h:");
  for (std::size_t i = 0; i < digest_bytes_shown; ++i) {
    out.put(static_cast<std::uint8_t>(hex_digits[digest[i] >> 4]));
    out.put(static_cast<std::uint8_t>(hex_digits[digest[i] & 15]));
  }
}

}  // namespace

std::size_t render(const Show& show, bool hashes_normalised, const KeyedHash& hash, ByteView value,
                   Encoding encoding, ByteSpan out) noexcept {
  ASSERT(value.size() <= match_shown_bytes_max);
  Writer writer(encoding, out);
  switch (show.kind) {
    case Show::Kind::redact:
      writer.put_plain(redacted_text);
      break;
    case Show::Kind::partial:
      render_partial(show, value, writer);
      break;
    case Show::Kind::hash:
      render_hash(hashes_normalised, hash, value, writer);
      break;
  }
  return writer.size();
}

}  // namespace sluice::matcher
