// What the signer process gives up once it holds its key and its state file: its user,
// every file it did not open, the network, new processes, and nearly all system calls.
#pragma once

#include <string>

#include "base/result.h"

namespace sluice::audit {

/// user   whom to become when started by root; without effect otherwise.
/// From then on a call that is not on the list ends the process.
Result<void> enter_signer_sandbox(const std::string& user);

}  // namespace sluice::audit
