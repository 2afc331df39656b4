#include "config/model/secure_url.h"

#include <string>

#include "config/model/http_url.h"

namespace sluice::config {

bool is_secure_url(std::string_view text) {
  return text.find('?') == text.npos && is_secure_endpoint(text);
}

bool is_secure_endpoint(std::string_view text) {
  constexpr std::string_view https = "https://";
  const bool is_https = text.starts_with(https);
  // The two differ in nothing else.
  const auto url = is_https ? parse_http_url("http://" + std::string(text.substr(https.size())))
                            : parse_http_url(text);
  if (!url) return false;
  return is_https || url->host == "localhost" || url->host == "127.0.0.1" || url->host == "::1";
}

}  // namespace sluice::config
