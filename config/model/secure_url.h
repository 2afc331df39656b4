// Where something may be asked or said whose worth depends on who is there.
#pragma once

#include <string_view>

namespace sluice::config {

/// "https://host:port/path", or the same with http:// and this host itself: localhost,
/// 127.0.0.1 or [::1]. No user, no query, no fragment.
bool is_secure_url(std::string_view text);

/// The same, perhaps with a query.
bool is_secure_endpoint(std::string_view text);

}  // namespace sluice::config
