// The answering side: few threads, one exchange per connection.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <thread>

#include "control/http.h"
#include "control/http_message.h"
#include "control/socket.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/encoder.h"

namespace sluice::control {
namespace {

constexpr std::size_t threads = 4;
constexpr Duration exchange_timeout = seconds(5);
constexpr http1::Limits limits{.head_bytes_max = head_bytes_max, .body_bytes_max = 1 << 20};

HttpReply refusal(http1::Fault fault) {
  return {.status = http1::status_of(fault), .body = fmt::format("{}\n", http1::text(fault))};
}

/// What one connection asked for: a request to handle, a reply that refuses it,
/// or neither when the peer went away.
struct Received {
  bool complete = false;
  HttpRequest request;
  bool refused = false;
  HttpReply reply;
};

Received receive(const Descriptor& socket) {
  Received result;
  http1::RequestDecoder decoder(limits);
  auto table = std::make_unique<http1::FieldTable>();
  std::string unread;
  for (;;) {
    const auto step = decoder.decode(as_bytes(unread), *table);
    switch (step.kind) {
      case http1::Step::Kind::malformed:
        result.refused = true;
        result.reply = refusal(step.fault);
        return result;
      case http1::Step::Kind::head:
        result.request.method = decoder.request().method_text;
        result.request.target = decoder.request().target;
        result.request.fields = copy_of(decoder.request().fields);
        break;
      case http1::Step::Kind::data:
        result.request.body.append(as_text(step.data));
        break;
      case http1::Step::Kind::end:
        result.complete = true;
        return result;
      case http1::Step::Kind::needs_more:
        break;
    }
    unread.erase(0, step.size_bytes);
    if (step.kind == http1::Step::Kind::needs_more) {
      const auto got = read_some(socket, unread);
      if (!got || *got == 0) return result;
    }
  }
}

void send_reply(const Descriptor& socket, const HttpReply& reply, bool without_body) {
  std::array<std::uint8_t, head_bytes_max> room{};
  http1::HeadWriter head(room);
  const auto status = static_cast<std::uint16_t>(reply.status);
  head.status_line(status, http1::reason_phrase(status));
  head.field("Content-Type", reply.content_type);
  head.field("Content-Length", std::uint64_t{reply.body.size()});
  for (const auto& [name, value] : reply.fields) head.field(name, value);
  head.field("Connection", "close");
  head.finish();
  if (head.overflowed()) return;
  if (!write_all(socket, head.written())) return;
  if (!without_body && !write_all(socket, as_bytes(reply.body))) return;

  // Closing with unread bytes would reset the connection and could take the
  // reply with it; so say goodbye first and drop what still comes.
  ::shutdown(socket.get(), SHUT_WR);
  std::string dropped;
  for (int reads = 0; reads < 64; ++reads) {
    const auto got = read_some(socket, dropped);
    if (!got || *got == 0) return;
    dropped.clear();
  }
}

void serve(const Descriptor& socket, const HttpServer::Handler& handler) {
  if (!set_timeout(socket, exchange_timeout)) return;
  auto received = receive(socket);
  if (received.refused) {
    send_reply(socket, received.reply, false);
  } else if (received.complete) {
    received.request.unix_peer = unix_peer(socket);
    send_reply(socket, handler(received.request), received.request.method == "HEAD");
  }
}

}  // namespace

struct HttpServer::State {
  Descriptor listener;
  Descriptor stop;
  Handler handler;
  std::vector<std::jthread> threads;

  void run() const {
    for (;;) {
      std::array<pollfd, 2> waiting{{{.fd = listener.get(), .events = POLLIN, .revents = 0},
                                     {.fd = stop.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
      if (waiting[1].revents != 0) return;
      if (waiting[0].revents == 0) continue;
      // The listener does not block: another thread may have been quicker.
      const Descriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.is_open()) serve(socket, handler);
    }
  }
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(Descriptor listener, Handler handler) {
  auto state = std::make_unique<State>();
  state->listener = std::move(listener);
  state->stop = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state->handler = std::move(handler);
  if (!state->stop.is_open()) return fail(system_error("eventfd", errno));
  if (::fcntl(state->listener.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(system_error("fcntl", errno));
  }
  for (std::size_t i = 0; i < threads; ++i) {
    state->threads.emplace_back([&own = *state] { own.run(); });
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() {
  // The counter stays up, so that every thread sees it.
  ::eventfd_write(state_->stop.get(), 1);
  state_->threads.clear();
}

}  // namespace sluice::control
