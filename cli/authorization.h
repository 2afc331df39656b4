// Who calls the control API, by an Authorization field: proved as clients of a listener are.
#pragma once

#include <string_view>

#include "base/instant.h"
#include "config/model/principal.h"
#include "dataplane/session/snapshot.h"
#include "identity/oidc.h"

namespace sluice::cli {

/// authorization  the value of an Authorization field: an API key, or a token of a provider's or
///                of the gateway's own. One that is good for a target only is good for nothing
///                here.
/// keys           by which providers' tokens are proved.
/// returns        a principal without a subject when nobody is proved by it.
[[nodiscard]] config::Principal principal_of(std::string_view authorization,
                                             const dataplane::Snapshot& snapshot,
                                             const identity::TokenKeys& keys, WallTime now);

}  // namespace sluice::cli
