// The sockets of the control API, and the client's side of it.
//
// The optional loopback port is for scrapers and probes: any local process, and a browser
// tricked into it, reaches it, so it only answers calls that anybody may make. The optional TLS
// port is for whoever proves by a credential who it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/model/settings.h"
#include "control/api/actions.h"
#include "control/http.h"

namespace sluice::control {

class AdminServer {
 public:
  /// Makes TLS of a fresh connection of the TLS port.
  using Secure = std::function<Result<std::unique_ptr<Channel>>(Channel& below)>;

  /// What the TLS port answers besides calls; nothing: it is a call.
  using Pages = std::function<std::optional<HttpReply>(const HttpRequest& request)>;

  static Result<std::unique_ptr<AdminServer>> start(const config::Admin& settings,
                                                    api::Actions actions, Secure secure,
                                                    Pages pages);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  AdminServer() = default;

  api::Actions actions_;
  Pages pages_;
  std::string socket_path_;
  std::unique_ptr<HttpServer> unix_;
  std::unique_ptr<HttpServer> tcp_;
  std::unique_ptr<HttpServer> tls_;
};

/// One request to a running gateway, on its admin socket.
Result<HttpReply> ask(const std::string& socket_path, const HttpRequest& request);
Result<HttpReply> fetch(const std::string& socket_path, const HttpRequest& request,
                        const HttpFetch& how);

}  // namespace sluice::control
