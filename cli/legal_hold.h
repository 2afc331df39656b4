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
Result<std::string> add_legal_hold(audit::Retention& retention, const std::string& body);
/// body   {"id":…}
/// The hold that was.
Result<std::string> release_legal_hold(audit::Retention& retention, const std::string& body);

}  // namespace sluice::cli
