// One public key as JSON; private to this room.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "identity/json_value.h"
#include "identity/jwk_set.h"
#include "identity/secret_hash.h"

namespace sluice::identity {

/// The key, without an id. Leaves nothing in OpenSSL's queue of errors.
///
/// errors   why it proves nothing: private or shared, for another use, too small, unknown, faulty.
/// source   RFC 7517 §4, RFC 7518 §6, RFC 8037 §2
Result<Jwk, std::string_view> read_jwk(const JsonValue& jwk);

/// SHA-256 of what makes the key this one (RFC 7638 §3), as the object spells it.
///
/// jwk      one that read_jwk() takes. Nothing: OpenSSL failed.
std::optional<Digest> jwk_thumbprint(const JsonValue& jwk);

}  // namespace sluice::identity
