// Notices in numbers, since the start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::control {

struct WebhookCounts {
  std::string name = {};
  std::uint64_t delivered = 0;
  std::uint64_t failures = 0;  ///< Attempts that did not arrive.
  std::uint64_t given_up = 0;
  std::uint64_t pending = 0;    ///< Now.
  std::string last_error = {};  ///< Empty: the last attempt went well.
};

struct NotificationCounts {
  std::uint64_t dropped = 0;  ///< Notices for which there was no room, or no disk.
  std::vector<WebhookCounts> webhooks = {};
};

}  // namespace sluice::control
