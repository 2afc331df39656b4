// Legal holds as the admin socket speaks of them: JSON each way.
#pragma once

#include <string>

#include "audit/retention.h"
#include "base/result.h"

namespace sluice::cli {

/// {"legal_holds":[…]}
Result<std::string> list_legal_holds(const audit::Retention& retention);
/// body   {"from":…,"until":…,"reason":…}, times in RFC 3339 or empty
/// The hold that is in force now.
/// by     who asks
Result<std::string> add_legal_hold(audit::Retention& retention, const std::string& body,
                                   const std::string& by);
/// body   {"id":…}
/// The hold that was.
Result<std::string> release_legal_hold(audit::Retention& retention, const std::string& body,
                                       const std::string& by);

}  // namespace sluice::cli
