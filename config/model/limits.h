// The most that some settings can be set to, where other rooms count on it.
#pragma once

#include <cstdint>

namespace sluice::config {

inline constexpr std::uint64_t head_bytes_limit = 24 * 1024;
inline constexpr std::uint64_t statement_bytes_limit = 4 << 20;
inline constexpr std::uint64_t inspected_body_bytes_limit = 16 << 20;

}  // namespace sluice::config
