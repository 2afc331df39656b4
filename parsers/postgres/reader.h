// Reads a message's fields from left to right. Inside this room only.
#pragma once

#include <cstddef>
#include <cstring>

#include "parsers/postgres/byte_order.h"
#include "parsers/postgres/message.h"

namespace sluice::postgres {

/// The first fault stays; from then on every read gives nothing.
class Reader {
 public:
  explicit Reader(ByteView in) noexcept : at_(in.data()), end_(in.data() + in.size()) {}

  std::uint8_t u8() noexcept { return has(1) ? *at_++ : std::uint8_t{0}; }
  std::uint16_t u16() noexcept {
    if (!has(2)) return 0;
    at_ += 2;
    return load_u16(at_ - 2);
  }
  std::uint32_t u32() noexcept {
    if (!has(4)) return 0;
    at_ += 4;
    return load_u32(at_ - 4);
  }
  std::int16_t i16() noexcept { return static_cast<std::int16_t>(u16()); }
  std::int32_t i32() noexcept { return static_cast<std::int32_t>(u32()); }

  /// Up to its zero byte, which is taken off too.
  std::string_view text() noexcept {
    const void* const zero = at_ == end_ ? nullptr : std::memchr(at_, 0, left());
    if (zero == nullptr) {
      refuse(Fault::unterminated_text);
      return {};
    }
    const auto* const begin = at_;
    at_ = static_cast<const std::uint8_t*>(zero) + 1;
    return as_text({begin, static_cast<std::size_t>(at_ - begin - 1)});
  }
  ByteView bytes(std::size_t count) noexcept {
    if (!has(count)) return {};
    at_ += count;
    return {at_ - count, count};
  }
  ByteView rest() noexcept { return bytes(left()); }

  Value value() noexcept {
    const std::int32_t length = i32();
    if (length >= 0) return bytes(static_cast<std::size_t>(length));
    if (length != -1) refuse(Fault::bad_value_length);
    return std::nullopt;
  }
  Format format() noexcept {
    const std::uint16_t code = u16();
    if (code > 1) refuse(Fault::bad_format);
    return code == 1 ? Format::binary : Format::text;
  }

  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  void refuse(Fault fault) noexcept {
    if (fault_ == Fault::none) fault_ = fault;
    at_ = end_;
  }
  [[nodiscard]] Fault fault() const noexcept { return fault_; }
  /// Nothing may follow the last field.
  [[nodiscard]] Fault finish() noexcept {
    if (at_ != end_) refuse(Fault::trailing_bytes);
    return fault_;
  }
  /// `message`, if that is all and nothing was wrong.
  template <class T>
  [[nodiscard]] Decoded<T> finish(const T& message) noexcept {
    if (const Fault fault = finish(); fault != Fault::none) return tl::unexpected<Fault>(fault);
    return message;
  }

 private:
  bool has(std::size_t count) noexcept {
    if (count <= left()) return true;
    refuse(Fault::truncated);
    return false;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  Fault fault_ = Fault::none;
};

}  // namespace sluice::postgres
