// Which start of the host this is. Memory of a killed process outlives the process, and
// not the host: what a ring still holds is all of it only within one start.
#pragma once

#include <array>
#include <cstdint>

namespace sluice::audit {

using BootId = std::array<std::uint8_t, 16>;

/// Random for each start of the kernel; all zero when it does not say.
/// source   Linux, /proc/sys/kernel/random/boot_id.
const BootId& boot_id() noexcept;

}  // namespace sluice::audit
