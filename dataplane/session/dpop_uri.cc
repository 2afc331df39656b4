#include "dataplane/session/dpop_uri.h"

#include <algorithm>

#include "parsers/http1/fields.h"
#include "parsers/http1/target.h"

namespace sluice::dataplane {
namespace {

struct Origin {
  std::string_view scheme;
  std::string_view authority;
};

/// RFC 3986 §6.2.3: a port that goes without saying is not said.
std::string_view without_default_port(const Origin& origin) noexcept {
  const bool is_https = http1::equal_ignoring_case(origin.scheme, "https");
  const std::string_view port = is_https ? ":443" : ":80";
  std::string_view authority = origin.authority;
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

bool is_same(const Origin& one, const Origin& other) noexcept {
  return http1::equal_ignoring_case(one.scheme, other.scheme) &&
         http1::equal_ignoring_case(without_default_port(one), without_default_port(other));
}

constexpr std::string_view separator = "://";

/// Takes "https://host:port" off a URI; what is left is its path.
Origin take_origin(std::string_view& uri) noexcept {
  const std::size_t scheme = uri.find(separator);
  if (scheme == uri.npos) return {};
  const std::size_t begin = scheme + separator.size();
  const std::size_t end = std::min(uri.find('/', begin), uri.size());
  const Origin origin{uri.substr(0, scheme), uri.substr(begin, end - begin)};
  uri.remove_prefix(end);
  return origin;
}

}  // namespace

bool is_about(std::string_view uri, const Resource& resource, std::span<const std::string> origins,
              ByteSpan room) noexcept {
  uri = uri.substr(0, uri.find_first_of("?#"));
  const Origin named = take_origin(uri);
  if (named.authority.empty()) return false;
  const auto is_named = [&named](std::string_view text) {
    return is_same(named, take_origin(text));
  };
  const bool is_here = origins.empty() ? is_same(named, {resource.scheme, resource.host})
                                       : std::ranges::any_of(origins, is_named);
  if (!is_here) return false;
  const auto path =
      http1::normalise_target(uri.empty() ? "/" : uri, resource.host, http1::Method::get, room);
  return path.fault == http1::TargetFault::none && path.target.path == resource.path;
}

}  // namespace sluice::dataplane
