// Asks for cache lines before they are needed.
#pragma once

#include <cstddef>

namespace sluice {

/// Only a hint: `begin` need not even be mapped.
inline void prefetch_lines(const void* begin, std::size_t bytes) noexcept {
  constexpr std::size_t line_bytes = 64;
  for (std::size_t at = 0; at < bytes; at += line_bytes) {
    __builtin_prefetch(static_cast<const char*>(begin) + at);
  }
}

}  // namespace sluice
