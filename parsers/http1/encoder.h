// Writes heads and chunk framing into room that the caller owns.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "parsers/http1/message.h"

namespace sluice::http1 {

/// Appends one head to `room`. A line for which there is no room is left out and
/// remembered: check `overflowed()` before `written()` is sent.
class HeadWriter {
 public:
  explicit HeadWriter(ByteSpan room) noexcept : room_(room) {}

  void request_line(std::string_view method, std::string_view target) noexcept;  // HTTP/1.1
  void status_line(std::uint16_t status, std::string_view reason) noexcept;      // HTTP/1.1
  /// `name` and `value` were validated by a decoder or by configuration.
  void field(std::string_view name, std::string_view value) noexcept;
  void field(std::string_view name, std::uint64_t value) noexcept;
  void finish() noexcept;

  [[nodiscard]] ByteSpan written() const noexcept { return room_.first(size_); }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

 private:
  template <class... Parts>
  void append(const Parts&... parts) noexcept;

  ByteSpan room_;
  std::size_t size_ = 0;
  bool overflowed_ = false;
};

/// Longest chunk-size line written: 16 hex digits and CRLF.
inline constexpr std::size_t chunk_prefix_bytes_max = 18;

/// Writes "SIZE\r\n" so that it ends at `end` (just before the payload) and
/// returns where it begins. `size` > 0.
std::uint8_t* write_chunk_prefix_before(std::uint8_t* end, std::uint64_t size) noexcept;

inline constexpr std::string_view last_chunk = "0\r\n\r\n";

std::string_view reason_phrase(std::uint16_t status) noexcept;

}  // namespace sluice::http1
