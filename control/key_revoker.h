// Takes API keys back. Called from the admin interface's threads.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "audit/record.h"
#include "base/instant.h"
#include "base/result.h"
#include "control/api/problem.h"
#include "identity/api_keys.h"

namespace sluice::control {

class KeyRevoker {
 public:
  struct World {
    std::function<WallTime()> now;
    /// Into the audit log; when it returns that is durable.
    std::function<Result<void>(const audit::Record&)> record;
  };
  explicit KeyRevoker(World world) : world_(std::move(world)) {}

  /// Recorded durably, then in the list; whoever calls has workers forget the key.
  /// keys    in force. One that was revoked before is so again.
  /// list    the path of those that are revoked.
  /// errors  404: there is no such key, and what was given may be a secret. 503: the log or the
  /// list
  ///         cannot be written, and the key is as good as before, though `key-revoked` may stand
  ///         before the call's `api-failed`.
  api::Outcome<void> revoke(const std::string& id, std::string_view by,
                            const identity::ApiKeys& keys, const std::string& list);

 private:
  World world_;
  std::mutex revoking_;  ///< One at a time: the list is read, changed and written.
};

}  // namespace sluice::control
