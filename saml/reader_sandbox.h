// What the reader process gives up before it sees a byte of a response: its user, files, the
// network, other processes, nearly all system calls, and more memory and time than a response
// takes.
#pragma once

#include "base/result.h"

namespace sluice::saml {

/// Of the processor; who waits for it waits longer (reader_client.h).
inline constexpr unsigned reader_cpu_seconds_max = 2;
/// Beyond what its libraries took.
inline constexpr std::size_t reader_memory_bytes_max = std::size_t{128} << 20;

/// A call that is not on the list ends the process.
Result<void> enter_reader_sandbox();

}  // namespace sluice::saml
