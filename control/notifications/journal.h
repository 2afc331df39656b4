// Deliveries of notices, kept until they are done with. A seam, as requests have one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::control {

struct Delivery {
  std::uint64_t id = 0;  ///< The journal's; 0: it is not kept yet.
  std::string webhook = {};
  std::string request = {};
  std::string event = {};
  std::string body = {};
  WallTime made = {};
  WallTime next = {};  ///< Not tried before.
  std::uint32_t attempts = 0;
  std::string last_error = {};
};

enum class DeliveryState : std::uint8_t { pending, delivered, given_up };

/// How many are pending, by webhook.
using PendingCounts = std::map<std::string, std::size_t>;

/// Used by one thread. What was put survives the gateway being killed.
class DeliveryJournal {
 public:
  virtual ~DeliveryJournal() = default;
  /// All of them or none, in their order.
  virtual Result<void> add(std::span<const Delivery> deliveries) = 0;
  /// The oldest that is pending of each webhook: the others of it wait for that one.
  virtual Result<std::vector<Delivery>> heads() = 0;
  virtual Result<PendingCounts> pending() = 0;
  virtual Result<void> update(const Delivery& delivery, DeliveryState state) = 0;
  /// Forgets the oldest that are done with, but `kept_max` of them.
  virtual Result<void> prune(std::size_t kept_max) = 0;
};

/// In the file of requests, with a connection of its own.
/// errors  as those of open_sqlite_store.
Result<std::unique_ptr<DeliveryJournal>> open_sqlite_journal(const std::string& path);

}  // namespace sluice::control
