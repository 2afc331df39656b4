// Just enough CBOR: a writer of deterministic encodings (RFC 8949 §4.2.1) and a
// reader that accepts nothing else. Definite lengths and shortest heads only.
#pragma once

#include <cstring>
#include <optional>

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
  void string(Major major, ByteView bytes) noexcept {
    head(major, bytes.size());
    copy(bytes.data(), bytes.size());
    at_ += bytes.size();
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
  void copy(const std::uint8_t* from, std::size_t bytes) noexcept {
    if (bytes > 32) {
      std::memcpy(at_, from, bytes);
    } else if (bytes >= 16) {
      copy_ends<16>(from, bytes);
    } else if (bytes >= 8) {
      copy_ends<8>(from, bytes);
    } else if (bytes >= 4) {
      copy_ends<4>(from, bytes);
    } else {
      for (std::size_t i = 0; i < bytes; ++i) at_[i] = from[i];
    }
  }
  template <std::size_t Width>
  void copy_ends(const std::uint8_t* from, std::size_t bytes) noexcept {
    std::memcpy(at_, from, Width);
    std::memcpy(at_ + bytes - Width, from + bytes - Width, Width);
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
