// "http://host:port/path": where the gateway's control thread asks others. What they
// answer is signed, so http is enough.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

struct HttpUrl {
  std::string host;  ///< A name, or an address; IPv6 without brackets.
  std::uint16_t port = 80;
  std::string path = "/";  ///< With the query, when there is one.
};

/// nothing   anything else: another scheme, a user, a fragment, spaces.
std::optional<HttpUrl> parse_http_url(std::string_view text);

}  // namespace sluice::config
