// One HTTP exchange per connection, blocking: what the admin interface, its
// client and the demo's payment API need, and no more. It stands on the same
// strict codec as the data path, so there is one HTTP parser in the product.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "control/channel.h"
#include "control/descriptor.h"
#include "control/tcp_peer.h"
#include "control/unix_peer.h"

namespace sluice::control {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  HttpFields fields = {};  ///< Without Host, Connection and framing.
  std::string body = {};
  std::string host = "localhost";
  /// Who asks over a unix socket, as the kernel says.
  std::optional<UnixPeer> unix_peer = {};
  /// Who asks over TCP.
  std::optional<TcpPeer> tcp_peer = {};
  /// A server's: whether the other side is still there, and the server goes on. Empty: it is.
  std::function<bool()> is_awaited = {};
};

/// The pieces of a body, each when there is one (empty: not now); nothing: it is over.
using HttpPieces = std::function<std::optional<std::string>()>;

/// A body in pieces.
struct HttpStream {
  HttpPieces pieces;
  /// Of all pieces, which are sent one behind the other, as long as the other side takes them.
  /// Nothing: nobody knows how many come, and when; they are asked for now and then.
  std::optional<std::uint64_t> bytes = {};
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  HttpFields fields = {};  ///< In a client's reply: all of them.
  /// A server's: what follows `body`, as long as the other side takes it. Nothing: nothing does.
  std::optional<HttpStream> stream = {};
};

/// First value of a field, compared without case; empty when there is none.
std::string_view field_value(const HttpFields& fields, std::string_view name) noexcept;

struct HttpServerOptions {
  std::size_t connections_max = 4;             ///< Served at a time; each has a thread.
  std::size_t connections_per_source_max = 4;  ///< Of them, over TCP; more are closed at once.
  /// For all of a request to arrive, and again for its reply, or a piece of it, to be taken.
  Duration timeout = seconds(5);
  Duration stream_time_max = seconds(90);  ///< Of a stream whose length nobody knows.
  /// Makes of a fresh connection what the exchange goes over, within the request's time; what it
  /// gives may borrow the one below. Empty: in clear.
  std::function<Result<std::unique_ptr<Channel>>(Channel& below)> secure = {};
};

/// Listens with a few threads; each serves one connection at a time.
class HttpServer {
 public:
  /// A stream's pieces are asked for so often. Half of the connections may have one; who would be
  /// one more is answered 503.
  static constexpr Duration pieces_pause = milliseconds(500);
  /// Of a stream of known length so much must be taken within each timeout.
  static constexpr std::uint64_t progress_bytes = 256 << 10;

  /// `handler` is called from any of the threads. A head may have 16 KiB, a body 1 MiB; what
  /// exceeds that is refused.
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  static Result<std::unique_ptr<HttpServer>> start(Descriptor listener, Handler handler,
                                                   HttpServerOptions options = {});
  /// Waits for the exchanges that are under way.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Takes a body as it comes; an error ends the exchange.
using HttpSink = std::function<Result<void>(ByteView piece)>;

/// Sends `request` over a fresh connection and waits for the whole reply.
Result<HttpReply> exchange(const Descriptor& socket, const HttpRequest& request);
/// The same, over a connection that may be secured.
/// sink   takes the body of a reply with status 200, which may be of any length; empty: that is in
///        the reply, as every other is.
Result<HttpReply> exchange(Channel& channel, const HttpRequest& request, const HttpSink& sink = {});

/// A reply that is long, and may be long in coming.
struct HttpFetch {
  HttpSink sink;
  Duration first = seconds(60);  ///< Until its body begins,
  Duration next = seconds(60);   ///< and again from each piece of it to the next.
};
/// below   what the channel goes over; perhaps the channel itself.
Result<HttpReply> fetch(SocketChannel& below, Channel& channel, const HttpRequest& request,
                        const HttpFetch& how);

}  // namespace sluice::control
