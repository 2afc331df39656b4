#include "cli/remote_gateway.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "cli/tls_channel.h"
#include "config/load/load.h"
#include "control/socket.h"

namespace sluice::cli {
namespace {

constexpr Duration connect_timeout = seconds(10);
/// A reload compiles every pattern before it answers.
constexpr Duration ask_timeout = seconds(60);

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
  } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (host.empty() || host.find_first_of("/?#@ ") != host.npos) return std::nullopt;
  std::uint16_t number = 443;
  if (!port.empty()) {
    const char* const end = port.data() + port.size();
    const auto [rest, error] = std::from_chars(port.data() + 1, end, number);
    if (error != std::errc() || rest != end || number == 0) return std::nullopt;
  }
  return HostPort{std::string(host), number};
}

std::string text(const HostPort& place) {
  const bool is_v6 = place.host.find(':') != place.host.npos;
  return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), place.host, place.port);
}

Result<std::shared_ptr<const dataplane::TlsContext>> client_tls(const HostPort& place,
                                                                const std::string& ca,
                                                                config::Protocol protocol) {
  config::TargetTls settings;
  if (!ca.empty()) {
    auto text = config::World::real().read_file(ca);
    if (!text) return fail(fmt::format("cannot read '{}'", ca));
    settings.ca = {.path = ca, .text = std::move(*text), .place = {}};
  }
  auto plan = dataplane::plan_tls(settings, {{.host = place.host, .port = place.port}}, protocol);
  if (!plan) return tl::unexpected(plan.error());
  return dataplane::TlsContext::make(std::move(*plan));
}

Result<RemoteGateway> RemoteGateway::at(std::string_view url, const std::string& ca) {
  constexpr std::string_view scheme = "https://";
  std::string_view rest = url;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto place =
      rest.starts_with(scheme) ? parse_host_port(rest.substr(scheme.size())) : std::nullopt;
  if (!place) return fail(fmt::format("'{}' is no https://HOST:PORT", url));
  auto context = client_tls(*place, ca, config::Protocol::http);
  if (!context) return tl::unexpected(context.error());
  RemoteGateway made;
  made.place_ = std::move(*place);
  made.context_ = std::move(*context);
  return made;
}

Result<control::HttpReply> RemoteGateway::ask(control::HttpRequest request) const {
  return exchange(std::move(request), nullptr);
}

Result<control::HttpReply> RemoteGateway::fetch(control::HttpRequest request,
                                                const control::HttpFetch& how) const {
  return exchange(std::move(request), &how);
}

Result<control::HttpReply> RemoteGateway::exchange(control::HttpRequest request,
                                                   const control::HttpFetch* how) const {
  const auto socket = control::connect_tcp(host(), port(), connect_timeout);
  if (!socket) return tl::unexpected(socket.error());
  control::SocketChannel below(*socket);
  below.limit(ask_timeout);
  auto channel = TlsChannel::open(below, context_, host());
  if (!channel) return tl::unexpected(channel.error());
  request.host = text(place_);
  if (how != nullptr) return control::fetch(below, **channel, request, *how);
  return control::exchange(**channel, request);
}

}  // namespace sluice::cli
