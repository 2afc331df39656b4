// What the claims of a token say, once its signature held; private to this room.
#pragma once

#include <optional>
#include <string_view>

#include "base/instant.h"
#include "config/model/principal.h"
#include "config/model/settings.h"
#include "identity/json_value.h"
#include "identity/token_fault.h"

namespace sluice::identity {

/// RFC 7519 §2, NumericDate: seconds, perhaps with a fraction. Nothing: no such time.
std::optional<WallTime> time_of(const JsonValue& value) noexcept;

/// token      only to name it where it has no `jti`.
/// principal  filled in when there is no fault.
TokenFault read_claims(const JsonValue& claims, const config::OidcIssuer& issuer,
                       std::string_view token, WallTime now, config::Principal& principal);

/// The same of what the issuer says of a token that only it can read (RFC 7662 §2.2), which it has
/// said is active: believed for as long as `issuer.introspection` has it, or until it expires.
TokenFault read_introspection(const JsonValue& said, const config::OidcIssuer& issuer,
                              std::string_view token, WallTime now, config::Principal& principal);

/// `aud` of the gateway's own tokens that are for one target, with its name behind.
inline constexpr std::string_view target_audience_prefix = "urn:sluice:target:";

/// The same of one of the gateway's own.
TokenFault read_gateway_claims(const JsonValue& claims, WallTime now, config::Principal& principal);

}  // namespace sluice::identity
