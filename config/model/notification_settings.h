// Who is told of operations that wait for people.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "config/model/values.h"

namespace sluice::config {

/// What somebody may be told of a request: the states that it comes to.
inline constexpr std::array<std::string_view, 8> request_events{
    "waiting", "approved", "denied", "expired", "withdrawn", "lost", "unreviewed", "reviewed"};

enum class WebhookFormat : std::uint8_t {
  generic,  ///< An object of our own, for programs.
  slack,    ///< Incoming webhooks of Slack: text and blocks.
  teams,    ///< Webhooks of Microsoft Teams: a message with an Adaptive Card.
};

struct Webhook {
  std::string name;
  Secret url;  ///< https://, or http:// of this host. A secret: whoever has it can write there.
  std::optional<Secret> secret = {};  ///< Of signatures; nothing: there are none.
  FileText ca = {};  ///< Who may have signed the receiver's certificate; without a path: the
                     ///< system's.
  WebhookFormat format = WebhookFormat::generic;
  std::vector<std::string> events = {};  ///< Of request_events; empty: all.
  Place place = {};
};

struct Notifications {
  std::string link;  ///< Of requests, for people, with "{id}" once; empty: none.
  std::vector<Webhook> webhooks;
  Duration timeout = seconds(5);            ///< Of one attempt.
  Duration give_up_after = seconds(3'600);  ///< A delivery that is older is not tried again.
  std::uint32_t pending_max = 10'000;       ///< Deliveries that are kept and did not arrive.
};

}  // namespace sluice::config
