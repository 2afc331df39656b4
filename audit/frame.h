// The frame: how every byte of rings and segments is wrapped.
//
//   body_bytes  u32 little-endian
//   crc32c      u32 little-endian, over body_bytes and body
//   body        type byte, then the payload
//
// A record's type byte is 0x00, which is also RFC 6962's prefix of a leaf: the
// leaf hash of a record is SHA-256 over the body as it lies in the frame.
#pragma once

#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace sluice::audit {

static_assert(std::endian::native == std::endian::little);

enum class FrameType : std::uint8_t {
  record = 0x00,  ///< One CBOR record.
  commit = 'C',   ///< Commit number (u64 little-endian), then a signed checkpoint.
  header = 'H',   ///< First frame of a segment: CBOR map.
  removed = 'R',  ///< What stands for records that retention removed: CBOR map.
};

inline constexpr std::size_t frame_head_bytes = 8;
inline constexpr std::size_t frame_body_bytes_max = 64 * 1024;

/// Completes a frame whose body (type byte included) was written behind the
/// eight bytes at `frame`; returns the frame's size.
inline std::size_t seal_frame(std::uint8_t* frame, std::size_t body_bytes) noexcept {
  const auto length = static_cast<std::uint32_t>(body_bytes);
  std::memcpy(frame, &length, sizeof length);
  std::uint32_t crc = crc32c_add(crc32c_start, {frame, sizeof length});
  crc = crc32c_end(crc32c_add(crc, {frame + frame_head_bytes, body_bytes}));
  std::memcpy(frame + sizeof length, &crc, sizeof crc);
  return frame_head_bytes + body_bytes;
}

struct FrameStep {
  enum class Kind { frame, incomplete, damaged };
  Kind kind = Kind::incomplete;
  ByteView body;          ///< Type byte and payload; views into the input.
  std::size_t bytes = 0;  ///< Of the whole frame.

  [[nodiscard]] FrameType type() const noexcept { return static_cast<FrameType>(body[0]); }
  [[nodiscard]] ByteView payload() const noexcept { return body.subspan(1); }
};

/// Reads the frame at the start of `in`, which may end anywhere.
inline FrameStep read_frame(ByteView in) noexcept {
  if (in.size() < frame_head_bytes) return {FrameStep::Kind::incomplete, {}, 0};
  std::uint32_t length = 0;
  std::uint32_t crc = 0;
  std::memcpy(&length, in.data(), sizeof length);
  std::memcpy(&crc, in.data() + sizeof length, sizeof crc);
  if (length == 0 || length > frame_body_bytes_max) return {FrameStep::Kind::damaged, {}, 0};
  if (in.size() - frame_head_bytes < length) return {FrameStep::Kind::incomplete, {}, 0};
  const ByteView body = in.subspan(frame_head_bytes, length);
  const std::uint32_t expected =
      crc32c_end(crc32c_add(crc32c_add(crc32c_start, in.first(4)), body));
  if (crc != expected) return {FrameStep::Kind::damaged, {}, 0};
  return {FrameStep::Kind::frame, body, frame_head_bytes + length};
}

}  // namespace sluice::audit
