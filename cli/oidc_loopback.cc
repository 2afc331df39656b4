#include "cli/oidc_loopback.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "control/http.h"
#include "control/socket.h"

namespace sluice::cli {
namespace {

using control::CodeSecrets;
using control::Redirection;

constexpr std::chrono::minutes wait_max(5);
constexpr std::string_view path = "/signed-in";

/// The redirection that comes first and is ours.
class Waiting {
 public:
  control::HttpReply take(const Redirection& redirection) {
    if (!redirection.is_ours)
      return {.status = 400, .body = "That is no sign-in of this moment.\n"};
    {
      const std::lock_guard lock(mutex_);
      if (!found_) found_ = redirection;
    }
    came_.notify_all();
    return {.body = redirection.code.empty()
                        ? "You were not signed in. You may close this window.\n"
                        : "You are signed in. You may close this window.\n"};
  }

  std::optional<Redirection> wait() {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, wait_max, [this] { return found_.has_value(); });
    return found_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::optional<Redirection> found_;
};

}  // namespace

Result<control::OidcTokens> sign_in_by_code(const control::SignInProvider& provider,
                                            const control::OidcEndpoints& endpoints,
                                            const std::function<void(const std::string& url)>& show,
                                            const control::OidcWorld& world) {
  if (endpoints.authorization.empty()) return fail("the provider has no authorization endpoint");
  const CodeSecrets secrets = CodeSecrets::random();
  Waiting waiting;
  auto listener = control::listen_loopback({.host = "127.0.0.1", .port = 0});
  if (!listener) return tl::unexpected(listener.error());
  const auto port = control::local_port(*listener);
  if (!port) return tl::unexpected(port.error());
  const std::string redirect = fmt::format("http://127.0.0.1:{}{}", *port, path);
  const auto server =
      control::HttpServer::start(std::move(*listener), [&](const control::HttpRequest& request) {
        return waiting.take(
            control::read_redirection(request.target, path, provider, endpoints, secrets));
      });
  if (!server) return tl::unexpected(server.error());
  show(control::authorization_url(provider, endpoints, redirect, secrets));
  const auto came = waiting.wait();
  if (!came) return fail("nobody signed in within 5 minutes");
  if (came->code.empty()) return fail(came->refusal);
  return control::redeem_code(came->code, provider, endpoints, redirect, secrets, world);
}

}  // namespace sluice::cli
