// The admin interface: who may ask the gateway what, and over which socket.
//
//   GET  /livez /readyz /metrics   anywhere
//   GET  /status                   unix socket only
//   POST /reload /drain            unix socket only
//   GET  /requests, /requests/ID, POST /requests/ID/approve, …/deny   unix socket only
//   GET, POST /legal-holds, POST /legal-holds/release   unix socket only
//   POST /recordings/delete        unix socket only
//   POST /tokens /tokens/revoke    unix socket only
//
// The unix socket's mode says who may steer the gateway. The optional TCP port
// is for scrapers and probes: any local process, and a browser tricked into it,
// reaches it, so it only shows what carries no names of people.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/model/settings.h"
#include "control/http.h"

namespace sluice::control {

/// What the gateway does when asked; called from the admin interface's threads.
struct AdminActions {
  std::function<bool()> is_ready;
  std::function<std::string()> metrics;  ///< Prometheus text.
  std::function<std::string()> status;   ///< A JSON object.
  std::function<Result<std::string>()>
      reload;  ///< A JSON object, or why the old configuration stays.
  std::function<void()> drain;
  /// All below /requests; see control/approvals/api.h.
  std::function<HttpReply(const HttpRequest&)> requests;
  std::function<Result<std::string>()> legal_holds;  ///< Legal holds: a JSON object.
  /// A JSON object each way, or why there is no change. `by` is who asks.
  std::function<Result<std::string>(const std::string& body, const std::string& by)> add_legal_hold;
  std::function<Result<std::string>(const std::string& body, const std::string& by)>
      release_legal_hold;
  /// A recording: likewise.
  std::function<Result<std::string>(const std::string& body, const std::string& by)>
      delete_recording;
  std::function<HttpReply(const HttpRequest&)> mint_token;
  std::function<HttpReply(const HttpRequest&)> revoke_token;
};

/// The routes alone; pure but for what the actions do.
HttpReply answer(const AdminActions& actions, const HttpRequest& request, bool may_steer);

class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>> start(const config::Admin& settings,
                                                    AdminActions actions);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  AdminServer() = default;

  AdminActions actions_;
  std::string socket_path_;
  std::unique_ptr<HttpServer> unix_;
  std::unique_ptr<HttpServer> tcp_;
};

/// One request to a running gateway, for the verbs status, reload and drain.
Result<HttpReply> ask(const std::string& socket_path, const HttpRequest& request);

}  // namespace sluice::control
