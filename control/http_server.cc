// The answering side: few threads, one exchange per connection.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "control/http.h"
#include "control/http_message.h"
#include "control/socket.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/encoder.h"

namespace sluice::control {
namespace {

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

Received receive(Channel& channel) {
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
      const auto got = channel.read(unread);
      if (!got || *got == 0) return result;
    }
  }
}

/// Nothing: nobody knows.
std::optional<std::uint64_t> body_bytes(const HttpReply& reply) {
  const std::uint64_t own = reply.body.size();
  if (!reply.stream) return own;
  if (!reply.stream->bytes) return std::nullopt;
  return own + *reply.stream->bytes;
}

/// Whether all of it was taken, and more may follow.
bool send_reply(Channel& channel, const HttpReply& reply, bool without_body) {
  std::array<std::uint8_t, head_bytes_max> room{};
  http1::HeadWriter head(room);
  const auto status = static_cast<std::uint16_t>(reply.status);
  head.status_line(status, http1::reason_phrase(status));
  head.field("Content-Type", reply.content_type);
  // RFC 9112 §6.3: without a length the end of the connection ends it.
  if (const auto bytes = body_bytes(reply)) head.field("Content-Length", *bytes);
  for (const auto& [name, value] : reply.fields) head.field(name, value);
  head.field("Connection", "close");
  head.finish();
  if (head.overflowed() || !channel.write(head.written())) return false;
  return without_body || channel.write(as_bytes(reply.body)).has_value();
}

/// Closing with unread bytes would reset the connection and could take the reply with it; so what
/// still comes is read and dropped.
void drop_rest(Channel& channel) {
  std::string dropped;
  for (int reads = 0; reads < 64; ++reads) {
    const auto got = channel.read(dropped);
    if (!got || *got == 0) return;
    dropped.clear();
  }
}

}  // namespace

struct HttpServer::State {
  Descriptor listener;
  Descriptor stop;
  Handler handler;
  HttpServerOptions options;
  std::mutex accepting;  ///< One thread waits for a connection, the others for their turn.
  std::mutex counting;
  std::map<std::string, std::size_t, std::less<>> connections;  ///< By source.
  std::vector<std::jthread> threads;

  void run() {
    while (auto socket = accept()) {
      if (socket->descriptor.is_open()) serve(*socket);
    }
  }

 private:
  struct Accepted {
    Descriptor descriptor;
    std::optional<TcpPeer> peer;
  };

  /// Nothing: the server stops.
  std::optional<Accepted> accept() {
    const std::lock_guard lock(accepting);
    std::array<pollfd, 2> waiting{{{.fd = listener.get(), .events = POLLIN, .revents = 0},
                                   {.fd = stop.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return std::nullopt;
    if (waiting[1].revents != 0) return std::nullopt;
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    // The listener does not block: whoever called may be gone.
    Accepted accepted{Descriptor(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&address),
                                           &size, SOCK_CLOEXEC)),
                      {}};
    if (accepted.descriptor.is_open()) accepted.peer = tcp_peer(address);
    return accepted;
  }

  /// Whether one more of this source is within what it may have.
  bool enter(const std::string& source) {
    const std::lock_guard lock(counting);
    auto& open = connections[source];
    if (open >= options.connections_per_source_max) return false;
    ++open;
    return true;
  }

  void leave(const std::string& source) {
    const std::lock_guard lock(counting);
    const auto found = connections.find(source);
    if (--found->second == 0) connections.erase(found);
  }

  void serve(const Accepted& accepted) {
    if (!accepted.peer) return exchange_on(accepted);
    if (!enter(accepted.peer->source)) return;
    exchange_on(accepted);
    leave(accepted.peer->source);
  }

  void exchange_on(const Accepted& accepted) const {
    SocketChannel below(accepted.descriptor, &stop);
    below.limit(options.timeout);
    std::unique_ptr<Channel> secured;
    if (options.secure) {
      auto made = options.secure(below);
      if (!made) return;
      secured = std::move(*made);
    }
    Channel& channel = secured ? *secured : below;
    auto received = receive(channel);
    if (!received.complete && !received.refused) return;
    if (received.complete) {
      received.request.unix_peer = unix_peer(accepted.descriptor);
      received.request.tcp_peer = accepted.peer;
      received.request.is_awaited = [&] { return stays(accepted, {}); };
      received.reply = handler(received.request);
    }
    const bool is_head = received.complete && received.request.method == "HEAD";
    const StreamPlace place(*this, received.reply);
    below.limit(options.timeout);
    if (!send_reply(channel, received.reply, is_head)) return;
    if (received.reply.stream && !is_head) {
      send_pieces(below, channel, accepted, *received.reply.stream);
    }
    channel.end();
    drop_rest(below);
  }

  /// One of the connections whose reply has a stream; where there are too many the reply is that.
  class StreamPlace {
   public:
    StreamPlace(const State& state, HttpReply& reply) : count_(state.streams) {
      if (!reply.stream) return;
      is_taken_ = true;
      if (count_.fetch_add(1) < state.options.connections_max / 2) return;
      reply = {.status = 503,
               .content_type = "application/problem+json",
               .body = R"({"type":"about:blank","title":"Service Unavailable","status":503,)"
                       R"("detail":"too many streams: end one, or try again"})"
                       "\n"};
    }
    StreamPlace(const StreamPlace&) = delete;
    StreamPlace& operator=(const StreamPlace&) = delete;
    ~StreamPlace() {
      if (is_taken_) count_.fetch_sub(1);
    }

   private:
    std::atomic<std::size_t>& count_;
    bool is_taken_ = false;
  };

  /// By the clock, in either case: who takes pieces slowly gets no more of them.
  void send_pieces(SocketChannel& below, Channel& channel, const Accepted& accepted,
                   const HttpStream& stream) const {
    if (stream.bytes) return send_known(below, channel, accepted, stream);
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::nanoseconds(options.stream_time_max.ns);
    while (const auto piece = stream.pieces()) {
      if (std::chrono::steady_clock::now() >= end) return;
      below.limit(options.timeout);
      if (!piece->empty() && !channel.write(as_bytes(*piece))) return;
      if (!stays(accepted, pieces_pause)) return;
    }
  }

  void send_known(SocketChannel& below, Channel& channel, const Accepted& accepted,
                  const HttpStream& stream) const {
    below.limit(options.timeout);
    for (std::uint64_t taken = 0; const auto piece = stream.pieces();) {
      if (!channel.write(as_bytes(*piece)) || !stays(accepted, {})) return;
      taken += piece->size();
      if (taken < progress_bytes) continue;
      taken = 0;
      below.limit(options.timeout);
    }
  }

  /// Waits for the next piece's time. False: the other side went, or the server stops.
  [[nodiscard]] bool stays(const Accepted& accepted, Duration pause) const {
    const int pause_ms = static_cast<int>(pause.ns / 1'000'000);
    std::array<pollfd, 2> waiting{
        {{.fd = accepted.descriptor.get(), .events = POLLRDHUP, .revents = 0},
         {.fd = stop.get(), .events = POLLIN, .revents = 0}}};
    return ::poll(waiting.data(), waiting.size(), pause_ms) == 0;
  }

  mutable std::atomic<std::size_t> streams{0};
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(Descriptor listener, Handler handler,
                                                      HttpServerOptions options) {
  auto state = std::make_unique<State>();
  state->listener = std::move(listener);
  state->stop = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state->handler = std::move(handler);
  state->options = std::move(options);
  if (!state->stop.is_open()) return fail(system_error("eventfd", errno));
  if (::fcntl(state->listener.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(system_error("fcntl", errno));
  }
  for (std::size_t i = 0; i < state->options.connections_max; ++i) {
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
