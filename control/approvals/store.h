// Where requests are kept, as a seam: a file of this host now; other stores may follow.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::control {

/// A request as it is kept.
struct StoredRequest {
  std::string id;
  std::string state;
  WallTime since;
  std::string document;  ///< See to_json(const Request&).
};

/// Used by one thread at a time. What was put survives the gateway being killed.
class RequestStore {
 public:
  virtual ~RequestStore() = default;
  /// All of them or none; what has an id that is known is replaced.
  virtual Result<void> put(std::span<const StoredRequest> requests) = 0;
  virtual Result<std::optional<StoredRequest>> find(std::string_view id) = 0;
  /// The newest first. state  empty: any.
  virtual Result<std::vector<StoredRequest>> list(std::string_view state, std::size_t max) = 0;
  /// Forgets the oldest that are in none of `open_states`, but `kept_max` of them.
  virtual Result<void> prune(std::span<const std::string_view> open_states,
                             std::size_t kept_max) = 0;
};

/// errors  the file cannot be opened, is no store, or was made by a newer version.
Result<std::unique_ptr<RequestStore>> open_sqlite_store(const std::string& path);

}  // namespace sluice::control
