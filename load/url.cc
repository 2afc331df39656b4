#include "load/url.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::load {
namespace {

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  const auto refuse = [text] {
    return fail(fmt::format("'{}' is not a URL such as http://127.0.0.1:8080/path", text));
  };
  if (!text.starts_with(scheme)) return refuse();
  std::string_view rest = text.substr(scheme.size());
  if (std::any_of(rest.begin(), rest.end(),
                  [](char c) { return c <= ' ' || c == '#' || c > '~'; })) {
    return refuse();
  }

  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  rest.remove_prefix(end);
  Url url;
  url.authority = authority;
  if (!rest.empty())
    url.target = rest.front() == '?' ? fmt::format("/{}", rest) : std::string(rest);

  std::string_view host = authority;
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    if (close == host.npos) return refuse();
    port = host.substr(close + 1);
    host = host.substr(1, close - 1);
  } else if (const std::size_t colon = host.find(':'); colon != host.npos) {
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (host.empty() || host.find('@') != host.npos) return refuse();
  if (!port.empty() && (port.front() != ':' || !parse_port(port.substr(1), url.port)))
    return refuse();
  url.host = host;
  return url;
}

Result<std::string> resolve(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); error != 0) {
    return fail(fmt::format("'{}': {}", host, ::gai_strerror(error)));
  }
  std::array<char, NI_MAXHOST> text{};
  const int error = ::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(),
                                  nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  if (error != 0) return fail(fmt::format("'{}': {}", host, ::gai_strerror(error)));
  return std::string(text.data());
}

}  // namespace sluice::load
