#include "config/model/http_url.h"

#include <algorithm>
#include <charconv>

namespace sluice::config {
namespace {

constexpr std::string_view scheme = "http://";
constexpr std::size_t bytes_max = 1024;

bool is_host(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

bool is_path(std::string_view path) {
  return std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

}  // namespace

std::optional<HttpUrl> parse_http_url(std::string_view text) {
  if (!text.starts_with(scheme) || text.size() > bytes_max) return std::nullopt;
  text.remove_prefix(scheme.size());
  HttpUrl url;
  const std::size_t slash = text.find_first_of("/?");
  if (slash != std::string_view::npos) {
    if (text[slash] == '/') url.path.clear();
    url.path += text.substr(slash);
  }
  std::string_view authority = text.substr(0, slash);
  const bool is_bracketed = authority.starts_with('[');
  const std::size_t host_end = is_bracketed ? authority.find(']') : authority.find(':');
  url.host = authority.substr(is_bracketed ? 1 : 0, host_end - (is_bracketed ? 1 : 0));
  if (is_bracketed && host_end == std::string_view::npos) return std::nullopt;
  std::string_view rest =
      host_end == std::string_view::npos ? "" : authority.substr(host_end + (is_bracketed ? 1 : 0));
  if (!rest.empty()) {
    if (!rest.starts_with(':')) return std::nullopt;
    rest.remove_prefix(1);
    const auto [end, bad] = std::from_chars(rest.data(), rest.data() + rest.size(), url.port);
    if (bad != std::errc{} || end != rest.data() + rest.size() || url.port == 0) {
      return std::nullopt;
    }
  }
  if (!is_host(url.host) || !is_path(url.path)) return std::nullopt;
  if (!is_bracketed && url.host.find(':') != std::string::npos) return std::nullopt;
  return url;
}

}  // namespace sluice::config
