#include "control/admin.h"

#include <unistd.h>

#include "control/api/router.h"
#include "control/socket.h"

namespace sluice::control {
namespace {

/// A reload compiles every pattern before it answers.
constexpr Duration ask_timeout = seconds(60);

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(const config::Admin& settings,
                                                        api::Actions actions, Secure secure,
                                                        Pages pages) {
  auto server = std::unique_ptr<AdminServer>(new AdminServer());
  server->actions_ = std::move(actions);
  server->pages_ = std::move(pages);
  const auto serve = [&own = *server](Descriptor listener, api::Entrance entrance,
                                      HttpServerOptions options = {}) {
    return HttpServer::start(
        std::move(listener),
        [&own, entrance](const HttpRequest& request) {
          if (entrance == api::Entrance::tls_port) {
            if (auto page = own.pages_(request)) return std::move(*page);
          }
          return api::answer(own.actions_, request, entrance);
        },
        std::move(options));
  };

  auto unix_listener = listen_unix(settings.socket, settings.socket_group);
  if (!unix_listener) return tl::unexpected(unix_listener.error());
  server->socket_path_ = settings.socket;
  auto unix_server = serve(std::move(*unix_listener), api::Entrance::admin_socket);
  if (!unix_server) return tl::unexpected(unix_server.error());
  server->unix_ = std::move(*unix_server);

  if (settings.tcp) {
    auto tcp_listener = listen_loopback(*settings.tcp);
    if (!tcp_listener) return tl::unexpected(tcp_listener.error());
    auto tcp_server = serve(std::move(*tcp_listener), api::Entrance::probes);
    if (!tcp_server) return tl::unexpected(tcp_server.error());
    server->tcp_ = std::move(*tcp_server);
  }
  if (const auto& listen = settings.listen) {
    auto listener = listen_tcp(listen->address);
    if (!listener) return tl::unexpected(listener.error());
    auto tls_server = serve(std::move(*listener), api::Entrance::tls_port,
                            {.connections_max = listen->connections_max,
                             .connections_per_source_max = listen->connections_per_source_max,
                             .timeout = listen->timeout,
                             .secure = std::move(secure)});
    if (!tls_server) return tl::unexpected(tls_server.error());
    server->tls_ = std::move(*tls_server);
  }
  return server;
}

AdminServer::~AdminServer() {
  if (!socket_path_.empty()) ::unlink(socket_path_.c_str());
}

Result<HttpReply> ask(const std::string& socket_path, const HttpRequest& request) {
  auto socket = connect_unix(socket_path);
  if (!socket) return tl::unexpected(socket.error());
  if (auto set = set_timeout(*socket, ask_timeout); !set) return tl::unexpected(set.error());
  return exchange(*socket, request);
}

Result<HttpReply> fetch(const std::string& socket_path, const HttpRequest& request,
                        const HttpFetch& how) {
  auto socket = connect_unix(socket_path);
  if (!socket) return tl::unexpected(socket.error());
  SocketChannel channel(*socket);
  return fetch(channel, channel, request, how);
}

}  // namespace sluice::control
