// What the signer process gives up once it holds its key and its state file: its user,
// every file it did not open, the network, new processes, and nearly all system calls.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace sluice::audit {

/// What a signature takes. A call that is not on its list ends the process where the key
/// is in memory. A token's module is not ours and is told EPERM, so that what fails in it
/// is an error of the signature.
enum class SignerCalls : std::uint8_t {
  key_in_memory,  ///< The socket, the state file, memory that is never executable.
  token,          ///< Besides: files opened to be read, descriptors that are open.
};

/// No root, no other process's view of it, no life without its gateway.
/// user   whom to become, with that user's groups, when started by root; without effect
///        otherwise.
Result<void> leave_gateway_user(const std::string& user);
/// From then on only those calls, by all of the process's threads.
Result<void> enter_signer_sandbox(SignerCalls calls);

}  // namespace sluice::audit
