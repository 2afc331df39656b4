// How many records of a TLS stream went by, and whether the stream is between two of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace sluice::dataplane {

/// RFC 5246 §6.2.1: type, version, length, and so many bytes. Knows nothing of what is in them.
class RecordCount {
 public:
  /// The next bytes of the stream, which began with a record.
  void pass(ByteView bytes) noexcept {
    while (!bytes.empty()) {
      const std::size_t size = left_bytes_ == 0 ? 1 : std::min(left_bytes_, bytes.size());
      left_bytes_ == 0 ? pass_header(bytes[0]) : pass_content(size);
      bytes = bytes.subspan(size);
    }
  }
  [[nodiscard]] std::uint64_t whole() const noexcept { return whole_; }
  [[nodiscard]] bool is_between() const noexcept { return header_bytes_ == 0; }

 private:
  static constexpr unsigned header_bytes_max = 5;

  void pass_header(std::uint8_t byte) noexcept {
    length_ = static_cast<std::uint16_t>(length_ << 8 | byte);  // the last two
    if (++header_bytes_ < header_bytes_max) return;
    left_bytes_ = length_;
    if (left_bytes_ == 0) end();
  }
  void pass_content(std::size_t size_bytes) noexcept {
    left_bytes_ -= size_bytes;
    if (left_bytes_ == 0) end();
  }
  void end() noexcept {
    header_bytes_ = 0;
    ++whole_;
  }

  std::uint64_t whole_ = 0;
  std::size_t left_bytes_ = 0;  ///< Of the content.
  std::uint16_t length_ = 0;
  std::uint8_t header_bytes_ = 0;  ///< That went by; all of them while inside the content.
};

}  // namespace sluice::dataplane
