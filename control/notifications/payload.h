// The bodies of webhooks. Pure.
#pragma once

#include <string>
#include <string_view>

#include "config/model/notification_settings.h"
#include "control/notifications/notice.h"

namespace sluice::control {

/// One JSON object.
/// link  where the request is shown; empty: nowhere.
std::string payload(config::WebhookFormat format, const Notice& notice, std::string_view link);

/// "{id}" of the pattern becomes the request's name, which needs no escaping.
std::string link_to(std::string_view pattern, std::string_view request);

}  // namespace sluice::control
