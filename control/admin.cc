#include "control/admin.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "control/approvals/api.h"
#include "control/exposition.h"
#include "control/json_text.h"
#include "control/socket.h"

namespace sluice::control {
namespace {

constexpr std::string_view json_type = "application/json";
/// A reload compiles every pattern before it answers.
constexpr Duration ask_timeout = seconds(60);

HttpReply live(const AdminActions&, const HttpRequest&) {
  return {.body = "ok\n"};
}

HttpReply ready(const AdminActions& actions, const HttpRequest&) {
  if (actions.is_ready()) return {.body = "ready\n"};
  return {.status = 503, .body = "not ready\n"};
}

HttpReply metrics(const AdminActions& actions, const HttpRequest&) {
  return {.content_type = std::string(Exposition::content_type), .body = actions.metrics()};
}

HttpReply status(const AdminActions& actions, const HttpRequest&) {
  return {.content_type = std::string(json_type), .body = actions.status() + "\n"};
}

HttpReply reload(const AdminActions& actions, const HttpRequest&) {
  auto done = actions.reload();
  if (done) return {.content_type = std::string(json_type), .body = *done + "\n"};
  return {.status = 422,
          .content_type = std::string(json_type),
          .body = "{\"reloaded\":false,\"error\":" + json_text(done.error().message) + "}\n"};
}

HttpReply drain(const AdminActions& actions, const HttpRequest&) {
  actions.drain();
  return {.status = 202, .content_type = std::string(json_type), .body = "{\"draining\":true}\n"};
}

HttpReply json_or_why(const Result<std::string>& done) {
  if (done) return {.content_type = std::string(json_type), .body = *done + "\n"};
  return {.status = 422,
          .content_type = std::string(json_type),
          .body = "{\"error\":" + json_text(done.error().message) + "}\n"};
}

HttpReply holds(const AdminActions& actions, const HttpRequest&) {
  return json_or_why(actions.legal_holds());
}

std::string who_asks(const HttpRequest& request) {
  return request.user ? fmt::format("user {}", *request.user) : "an unknown user";
}

HttpReply add_hold(const AdminActions& actions, const HttpRequest& request) {
  return json_or_why(actions.add_legal_hold(request.body, who_asks(request)));
}

HttpReply release_hold(const AdminActions& actions, const HttpRequest& request) {
  return json_or_why(actions.release_legal_hold(request.body, who_asks(request)));
}

HttpReply remove_recording(const AdminActions& actions, const HttpRequest& request) {
  return json_or_why(actions.delete_recording(request.body, who_asks(request)));
}

HttpReply mint(const AdminActions& actions, const HttpRequest& request) {
  return actions.mint_token(request);
}

HttpReply revoke(const AdminActions& actions, const HttpRequest& request) {
  return actions.revoke_token(request);
}

struct Route {
  std::string_view path;
  std::string_view method;
  bool steers;  ///< Changes the gateway, or names people and targets.
  HttpReply (*run)(const AdminActions&, const HttpRequest&);
};

constexpr std::array<Route, 12> routes{{
    {"/livez", "GET", false, live},
    {"/readyz", "GET", false, ready},
    {"/metrics", "GET", false, metrics},
    {"/status", "GET", true, status},
    {"/reload", "POST", true, reload},
    {"/drain", "POST", true, drain},
    {"/legal-holds", "GET", true, holds},
    {"/legal-holds", "POST", true, add_hold},
    {"/legal-holds/release", "POST", true, release_hold},
    {"/recordings/delete", "POST", true, remove_recording},
    {"/tokens", "POST", true, mint},
    {"/tokens/revoke", "POST", true, revoke},
}};

}  // namespace

HttpReply answer(const AdminActions& actions, const HttpRequest& request, bool may_steer) {
  if (is_requests_page(request.target)) {
    if (!may_steer) return {.status = 403, .body = "only on the admin unix socket\n"};
    return actions.requests(request);
  }
  std::string allowed;
  for (const auto& route : routes) {
    if (request.target != route.path) continue;
    if (route.steers && !may_steer) {
      return {.status = 403, .body = "only on the admin unix socket\n"};
    }
    const bool is_head = request.method == "HEAD" && route.method == "GET";
    if (request.method == route.method || is_head) return route.run(actions, request);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) return {.status = 404, .body = "no such page\n"};
  return {.status = 405, .body = "use " + allowed + "\n", .fields = {{"Allow", allowed}}};
}

Result<std::unique_ptr<AdminServer>> AdminServer::start(const config::Admin& settings,
                                                        AdminActions actions) {
  auto server = std::unique_ptr<AdminServer>(new AdminServer());
  server->actions_ = std::move(actions);
  const auto serve = [&own = *server](Descriptor listener, bool may_steer) {
    return HttpServer::start(std::move(listener), [&own, may_steer](const HttpRequest& request) {
      return answer(own.actions_, request, may_steer);
    });
  };

  auto unix_listener = listen_unix(settings.socket);
  if (!unix_listener) return tl::unexpected(unix_listener.error());
  server->socket_path_ = settings.socket;
  auto unix_server = serve(std::move(*unix_listener), true);
  if (!unix_server) return tl::unexpected(unix_server.error());
  server->unix_ = std::move(*unix_server);

  if (settings.tcp) {
    auto tcp_listener = listen_loopback(*settings.tcp);
    if (!tcp_listener) return tl::unexpected(tcp_listener.error());
    auto tcp_server = serve(std::move(*tcp_listener), false);
    if (!tcp_server) return tl::unexpected(tcp_server.error());
    server->tcp_ = std::move(*tcp_server);
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

}  // namespace sluice::control
