// Where something may be asked whose answer is believed because of where it came from.
#pragma once

#include <string_view>

namespace sluice::config {

/// "https://host:port/path", or the same with http:// and this host itself: localhost,
/// 127.0.0.1 or [::1]. No user, no query, no fragment.
bool is_secure_url(std::string_view text);

}  // namespace sluice::config
