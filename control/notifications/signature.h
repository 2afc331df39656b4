// How a receiver of webhooks knows who sent them, and that they are not old.
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"

namespace sluice::control {

/// The value of the field Sluice-Signature: "t=1764150000,v1=" and 64 hex digits, which are
/// HMAC-SHA-256 (RFC 2104) under the secret of the time in decimal, a dot, and the body.
std::string webhook_signature(std::string_view secret, WallTime now, std::string_view body);

}  // namespace sluice::control
