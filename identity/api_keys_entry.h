// One key as the table holds it; private to this room.
#pragma once

#include <optional>

#include "identity/api_keys.h"
#include "identity/secret_hash.h"

namespace sluice::identity {

/// Exactly one of `digest` and `scrypt` is set; `scram` may be beside it.
struct ApiKeys::Entry {
  config::Principal principal;
  std::optional<Digest> digest;
  std::optional<ScryptHash> scrypt;
  std::optional<ScramVerifier> scram;
};

}  // namespace sluice::identity
