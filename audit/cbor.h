// Just enough CBOR: a writer of deterministic encodings (RFC 8949 §4.2.1) and a
// reader that accepts nothing else. Definite lengths and shortest heads only.
#pragma once

#include <cstring>
#include <optional>

#include "audit/utf8.h"
#include "base/bytes.h"

namespace sluice::audit::cbor {

enum class Major : std::uint8_t {
  unsigned_integer = 0,
  bytes = 2,
  text = 3,
  array = 4,
  map = 5,
  simple = 7,
};

inline constexpr std::uint8_t true_byte = 0xf5;
inline constexpr std::size_t head_bytes_max = 9;

/// Writes to memory the caller knows to be large enough.
class Writer {
 public:
  explicit Writer(std::uint8_t* out) noexcept : at_(out) {}

  void head(Major major, std::uint64_t value) noexcept {
    const auto type = static_cast<std::uint8_t>(static_cast<unsigned>(major) << 5U);
    if (value < 24) {
      *at_++ = static_cast<std::uint8_t>(type | value);
    } else if (value <= 0xff) {
      *at_++ = type | 24U;
      *at_++ = static_cast<std::uint8_t>(value);
    } else if (value <= 0xffff) {
      *at_++ = type | 25U;
      put(__builtin_bswap16(static_cast<std::uint16_t>(value)));
    } else if (value <= 0xffffffff) {
      *at_++ = type | 26U;
      put(__builtin_bswap32(static_cast<std::uint32_t>(value)));
    } else {
      *at_++ = type | 27U;
      put(__builtin_bswap64(value));
    }
  }
  void unsigned_integer(std::uint64_t value) noexcept { head(Major::unsigned_integer, value); }
  /// Returns whether all of it is ASCII: with what is copied anyway that costs little.
  bool string(Major major, ByteView bytes) noexcept {
    head(major, bytes.size());
    const bool ascii = copy(bytes.data(), bytes.size());
    at_ += bytes.size();
    return ascii;
  }
  /// Makes the string whose head is at `head` one of the other kind.
  static void retype(std::uint8_t* head, Major major) noexcept {
    constexpr unsigned info = 0x1f;
    *head = static_cast<std::uint8_t>((static_cast<unsigned>(major) << 5U) | (*head & info));
  }
  void bytes(ByteView value) noexcept { string(Major::bytes, value); }
  void text(std::string_view value) noexcept { string(Major::text, as_bytes(value)); }
  void array(std::uint64_t count) noexcept { head(Major::array, count); }
  void map(std::uint64_t count) noexcept { head(Major::map, count); }
  void boolean_true() noexcept { *at_++ = true_byte; }

  [[nodiscard]] std::uint8_t* at() const noexcept { return at_; }

 private:
  /// Most strings are short, and a call of memcpy costs more than they do: two
  /// moves of fixed size that overlap in the middle.
  bool copy(const std::uint8_t* from, std::size_t bytes) noexcept {
    if (bytes > 32) {
      std::memcpy(at_, from, bytes);
      return is_ascii(as_text({from, bytes}));
    }
    if (bytes >= 16) {
      const bool begins = copy_ends<std::uint64_t>(at_, from, 16);
      const bool ends = copy_ends<std::uint64_t>(at_ + bytes - 16, from + bytes - 16, 16);
      return begins && ends;
    }
    if (bytes >= 8) return copy_ends<std::uint64_t>(at_, from, bytes);
    if (bytes >= 4) return copy_ends<std::uint32_t>(at_, from, bytes);
    unsigned seen = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      at_[i] = from[i];
      seen |= from[i];
    }
    return seen < 0x80;
  }
  template <class Word>
  static bool copy_ends(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) noexcept {
    constexpr auto high_bits = static_cast<Word>(0x8080808080808080U);
    Word first{};
    Word last{};
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + bytes - sizeof last, sizeof last);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + bytes - sizeof last, &last, sizeof last);
    return ((first | last) & high_bits) == 0;
  }
  template <class T>
  void put(T value) noexcept {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  std::uint8_t* at_;
};

struct Head {
  Major major = Major::unsigned_integer;
  std::uint64_t value = 0;
};

/// Reads item by item; every call gives nothing when the input is not the
/// deterministic encoding of what was asked for.
class Reader {
 public:
  explicit Reader(ByteView in) noexcept : in_(in) {}

  std::optional<Head> head() noexcept {
    if (in_.empty()) return std::nullopt;
    const auto major = static_cast<unsigned>(in_[0] >> 5U);
    const unsigned info = in_[0] & 0x1fU;
    if (major == 1 || major == 6) return std::nullopt;  // no negative numbers, no tags
    if (info < 24) {
      in_ = in_.subspan(1);
      return Head{static_cast<Major>(major), info};
    }
    if (info > 27) return std::nullopt;  // reserved and indefinite lengths
    const std::size_t width = std::size_t{1} << (info - 24);
    if (in_.size() < 1 + width) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = (value << 8U) | in_[1 + i];
    // RFC 8949 §4.2.1: the shortest head that holds the value.
    const std::uint64_t least = info == 24 ? 24 : std::uint64_t{1} << (8 * (width / 2));
    if (value < least) return std::nullopt;
    in_ = in_.subspan(1 + width);
    return Head{static_cast<Major>(major), value};
  }

  /// The head's value when it has the wanted type.
  std::optional<std::uint64_t> expect(Major major) noexcept {
    const auto found = head();
    if (!found || found->major != major) return std::nullopt;
    return found->value;
  }
  std::optional<std::uint64_t> unsigned_integer() noexcept {
    return expect(Major::unsigned_integer);
  }
  /// The content of a string whose head was just read.
  std::optional<ByteView> content(std::uint64_t length) noexcept {
    if (in_.size() < length) return std::nullopt;
    const ByteView out = in_.first(static_cast<std::size_t>(length));
    in_ = in_.subspan(out.size());
    return out;
  }
  std::optional<ByteView> string(Major major) noexcept {
    const auto length = expect(major);
    return length ? content(*length) : std::nullopt;
  }
  bool boolean_true() noexcept {
    if (in_.empty() || in_[0] != true_byte) return false;
    in_ = in_.subspan(1);
    return true;
  }

  /// Passes one item, whatever is in it.
  bool skip() noexcept {
    for (std::uint64_t pending = 1; pending != 0; --pending) {
      if (boolean_true()) continue;
      const auto found = head();
      if (!found) return false;
      switch (found->major) {
        case Major::unsigned_integer:
          break;
        case Major::bytes:
        case Major::text:
          if (!content(found->value)) return false;
          break;
        case Major::array:
        case Major::map:
          if (found->value > in_.size()) return false;
          pending += found->major == Major::map ? 2 * found->value : found->value;
          break;
        case Major::simple:
          return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool at_end() const noexcept { return in_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }

 private:
  ByteView in_;
};

}  // namespace sluice::audit::cbor
