// The sockets of the control API, and the client's side of it.
//
// The optional loopback port is for scrapers and probes: any local process, and a browser
// tricked into it, reaches it, so it only answers calls that anybody may make.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/model/settings.h"
#include "control/api/actions.h"
#include "control/http.h"

namespace sluice::control {

class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>> start(const config::Admin& settings,
                                                    api::Actions actions);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  AdminServer() = default;

  api::Actions actions_;
  std::string socket_path_;
  std::unique_ptr<HttpServer> unix_;
  std::unique_ptr<HttpServer> tcp_;
};

/// One request to a running gateway.
Result<HttpReply> ask(const std::string& socket_path, const HttpRequest& request);

}  // namespace sluice::control
