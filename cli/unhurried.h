// Work that takes only what nobody else needs.
#pragma once

#include <functional>

namespace sluice::cli {

/// On a thread of the lowest priority, which is waited for: traffic goes first. What it throws is
/// thrown here.
void run_unhurried(const std::function<void()>& work);

}  // namespace sluice::cli
