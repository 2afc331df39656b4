// Who decides on a request: the admin interface's callers prove it as clients of a listener do.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "base/instant.h"
#include "config/model/principal.h"
#include "dataplane/session/snapshot.h"
#include "identity/oidc.h"

namespace sluice::cli {

/// Thread-safe.
class Decider {
 public:
  /// From now on tokens are proved by these keys.
  void take_up(std::shared_ptr<const identity::TokenKeys> keys);

  /// authorization  the value of an Authorization field.
  /// returns        a principal without a subject when nobody is proved by it.
  [[nodiscard]] config::Principal identify(std::string_view authorization,
                                           const dataplane::Snapshot& snapshot, WallTime now) const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const identity::TokenKeys> token_keys_;
};

}  // namespace sluice::cli
