// What holds of any log: of records as JSON, in their order.
#pragma once

#include <string>
#include <vector>

namespace sluice::dataplane {

/// Each session's last record says that it ended, how many operations were judged, and
/// where its first and last record are.
void check_session_ends(const std::vector<std::string>& records);

}  // namespace sluice::dataplane
