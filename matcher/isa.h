// Which vector instructions a scan uses. All give the same answers.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::matcher {

enum class Isa : std::uint8_t {
  scalar,  ///< Byte by byte: slow, for tests to compare.
  avx2,    ///< x86-64-v3, what the program is built for.
  avx512,  ///< F, BW, VL, VBMI, VBMI2 and GFNI: Ice Lake, Zen 4 and later.
};

/// Those that this machine and its kernel let programs use; the fastest one last.
std::span<const Isa> usable_isas() noexcept;

inline Isa best_isa() noexcept {
  return usable_isas().back();
}

}  // namespace sluice::matcher
