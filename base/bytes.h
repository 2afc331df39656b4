// Bytes as the wire gives them: borrowed views, never owners.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice {

/// A borrowed run of bytes; dies with the call unless a header says otherwise.
using ByteView = std::span<const std::uint8_t>;
/// A borrowed run of bytes that the callee may write.
using ByteSpan = std::span<std::uint8_t>;

/// Readable bytes that must follow every buffer handed to the matcher: vector
/// code there (Hyperscan 5.4.0, issue 457) reads past the end it was given.
inline constexpr std::size_t readable_tail_bytes = 64;

inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace sluice
