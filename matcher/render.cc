#include "matcher/render.h"

#include <array>

#include "base/assert.h"
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
  void put(std::string_view text) noexcept {
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

void render_partial(const Show& show, ByteView value, Writer& out) noexcept {
  std::size_t letters = 0;
  bool is_plain = !out.is_form();
  for (std::size_t at = 0; at < value.size(); at += character_size(value, at)) {
    if (is_letter_or_digit(value[at])) ++letters;
    is_plain = is_plain && value[at] < 0x80 && Writer::is_itself(value[at]);
  }
  const bool is_short = letters <= std::size_t{show.first} + show.last;
  const std::size_t first = is_short ? 0 : show.first;
  const std::size_t hidden = letters - first - (is_short ? 0 : show.last);
  const auto is_hidden = [first, hidden](std::size_t nth) { return nth - first < hidden; };
  std::size_t nth = 0;
  if (is_plain) {  // The usual case: each byte is a character that stands for itself.
    std::uint8_t* to = out.take(value.size());
    for (const std::uint8_t byte : value) {
      const bool is_letter = is_letter_or_digit(byte);
      *to++ = is_letter && is_hidden(nth) ? std::uint8_t{'*'} : byte;
      nth += std::size_t{is_letter};
    }
    return;
  }
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t size = character_size(value, at);
    const bool is_letter = is_letter_or_digit(value[at]);
    const bool is_star = is_letter && is_hidden(nth);
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
  out.put("h:");
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
      writer.put(redacted_text);
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
