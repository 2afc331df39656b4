// The removal of a recording as the admin socket speaks of it: JSON each way.
#pragma once

#include <string>

#include "base/result.h"
#include "recordings/retention.h"

namespace sluice::cli {

/// retention   null where nothing is recorded
/// body        {"recording":…,"reason":…}
/// by          who asks
/// What was removed.
Result<std::string> delete_recording(recordings::Retention* retention, const std::string& body,
                                     const std::string& by);

}  // namespace sluice::cli
