#include "cli/demo_api.h"

#include "control/socket.h"

namespace sluice::cli {
namespace {

// Numbers that card schemes publish for tests: they pass every checksum and belong to nobody.
constexpr std::string_view payment =
    R"({"id":"pay_1001","amount":"129.90","currency":"EUR",)"
    R"("card":{"number":"4111 1111 1111 1111","cvc":"737","expires":"03/30"},)"
    R"("payer":{"name":"Ada Example","email":"ada@example.com","iban":"DE89370400440532013000"},)"
    R"("note":"second card 5555555555554444 on file"})";
constexpr std::string_view created = R"({"id":"pay_1002","state":"accepted"})";

}  // namespace

Result<std::unique_ptr<DemoApi>> DemoApi::start(std::string credential) {
  auto listener = control::listen_loopback({.host = "127.0.0.1", .port = 0});
  if (!listener) return tl::unexpected(listener.error());
  const auto port = control::local_port(*listener);
  if (!port) return tl::unexpected(port.error());

  auto api = std::unique_ptr<DemoApi>(new DemoApi(std::move(credential)));
  api->port_ = *port;
  auto server = control::HttpServer::start(
      std::move(*listener),
      [&own = *api](const control::HttpRequest& request) { return own.answer(request); });
  if (!server) return tl::unexpected(server.error());
  api->server_ = std::move(*server);
  return api;
}

std::uint64_t DemoApi::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string DemoApi::last_answer() const {
  const std::lock_guard lock(mutex_);
  return last_answer_;
}

control::HttpReply DemoApi::answer(const control::HttpRequest& request) {
  control::HttpReply reply{.content_type = "application/json"};
  if (control::field_value(request.fields, "authorization") != credential_) {
    reply.status = 401;
    reply.body = R"({"error":"who are you?"})";
  } else if (request.method == "POST" && request.target == "/v1/payments") {
    reply.status = 201;
    reply.body = created;
  } else if (request.target == "/v1/payments/pay_1001") {
    reply.body = payment;
  } else if (request.target == "/admin/keys") {
    reply.body = R"({"master_key":"this must never leave"})";
  } else {
    reply.status = 404;
    reply.body = R"({"error":"no such thing"})";
  }
  const std::lock_guard lock(mutex_);
  ++requests_;
  last_answer_ = reply.body;
  return reply;
}

}  // namespace sluice::cli
