#include "matcher/isa.h"

#include <array>

namespace sluice::matcher {

std::span<const Isa> usable_isas() noexcept {
  static constexpr std::array all = {Isa::scalar, Isa::avx2, Isa::avx512};
  // The compiler's library asks the kernel, too, whether it keeps the registers.
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vbmi") &&
                          __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("gfni");
  return std::span(all).first(has_avx512 ? 3 : 2);
}

}  // namespace sluice::matcher
