// A relay with nothing in it, on the gateway's own transport: each client is
// paired with a connection to the target, and received buffers are sent on as
// they are. What it costs is the floor for everything that is built above.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "dataplane/transport/uring_transport.h"

namespace {

using namespace sluice;
using namespace sluice::dataplane;

struct Part {
  BufferId buffer = no_buffer;
  std::uint32_t size_bytes = 0;
};

/// One end of a pair, and the bytes on their way to it.
struct End {
  static constexpr std::size_t parts_max = 64;  // one burst of receives fits behind the pause
  static constexpr std::size_t pause_at = 16;

  ConnId conn;
  ConnId other;
  std::array<Part, parts_max> parts{};
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t sending = 0;  ///< Parts of the send in flight.
  bool ready = false;       ///< Connected.
  bool finished = false;    ///< The other end will send no more.
};

class Relay {
 public:
  Relay(UringTransport& transport, const Endpoint& target)
      : transport_(transport), target_(target), ends_(transport.connections_max()) {}

  void run() {
    std::array<Completion, 512> done{};
    for (;;) {
      const std::size_t count = transport_.poll(done, seconds(1));
      for (std::size_t i = 0; i < count; ++i) handle(done[i]);
    }
  }

 private:
  void handle(const Completion& c) {
    End& end = ends_[c.conn.index];
    switch (c.kind) {
      case Completion::Kind::accepted:
        return on_accepted(c.conn);
      case Completion::Kind::connected:
        return on_connected(end);
      case Completion::Kind::received:
        return on_received(end, c);
      case Completion::Kind::peer_closed:
        return on_peer_closed(end);
      case Completion::Kind::sent:
        return on_sent(end);
      case Completion::Kind::failed:
        return close_pair(end);
      case Completion::Kind::closed:
        return on_closed(end);
      case Completion::Kind::secured:
      case Completion::Kind::spliced:
      case Completion::Kind::record:
      case Completion::Kind::woken:
        return;
    }
  }

  void on_accepted(ConnId client) {
    const ConnId target = transport_.connect(target_);
    if (target == ConnId{}) return transport_.close(client);
    ends_[client.index] = {.conn = client, .other = target, .ready = true};
    ends_[target.index] = {.conn = target, .other = client};
    transport_.receive(client);
  }

  void on_connected(End& end) {
    end.ready = true;
    transport_.receive(end.conn);
    flush(end);
  }

  void on_received(End& from, const Completion& c) {
    End& to = ends_[from.other.index];
    if (to.count == End::parts_max || to.conn != from.other) {
      transport_.pool().release(c.buffer);
      return close_pair(from);
    }
    to.parts[(to.first + to.count++) % End::parts_max] = {c.buffer, c.size_bytes};
    if (to.count == End::pause_at) transport_.pause(from.conn);
    flush(to);
  }

  void on_peer_closed(End& from) {
    End& to = ends_[from.other.index];
    to.finished = true;
    flush(to);
    if (from.finished && from.count == 0) close_pair(from);
  }

  void on_sent(End& to) {
    const bool was_full = to.count >= End::pause_at;
    for (; to.sending > 0; --to.sending, --to.count) {
      transport_.pool().release(to.parts[to.first].buffer);
      to.first = (to.first + 1) % End::parts_max;
    }
    if (was_full && to.count < End::pause_at) transport_.receive(to.other);
    flush(to);
  }

  void flush(End& to) {
    if (!to.ready || to.sending > 0) return;
    std::array<Slice, slices_per_send_max> slices;
    for (; to.sending < to.count && to.sending < slices.size(); ++to.sending) {
      const Part& part = to.parts[(to.first + to.sending) % End::parts_max];
      slices[to.sending] = {transport_.pool().data(part.buffer), part.size_bytes};
    }
    if (to.sending > 0) return transport_.send(to.conn, {slices.data(), to.sending});
    if (!to.finished) return;
    transport_.shutdown(to.conn);
    if (const End& from = ends_[to.other.index]; from.finished && from.count == 0) close_pair(to);
  }

  void close_pair(End& end) {
    transport_.close(end.conn);
    transport_.close(end.other);
  }

  void on_closed(End& end) {
    for (; end.count > 0; --end.count) {
      transport_.pool().release(end.parts[end.first].buffer);
      end.first = (end.first + 1) % End::parts_max;
    }
    transport_.close(end.other);
    end.conn = {};
  }

  UringTransport& transport_;
  Endpoint target_;
  std::vector<End> ends_;
};

std::uint16_t port_of(const char* word) {
  return static_cast<std::uint16_t>(std::strtoul(word, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bare_relay LISTEN_PORT TARGET_PORT [plain]   (both on 127.0.0.1)\n");
    return 2;
  }
  UringOptions options;
  options.plain = argc > 3 && std::strcmp(argv[3], "plain") == 0;
  auto transport = UringTransport::make(options);
  const auto target = parse_endpoint("127.0.0.1", port_of(argv[2]));
  const auto listener = parse_endpoint("127.0.0.1", port_of(argv[1]));
  if (!transport) {
    fmt::print(stderr, "bare_relay: {}\n", transport.error().message);
    return 1;
  }
  if (const auto listening = (*transport)->listen(*listener, 0); !listening) {
    fmt::print(stderr, "bare_relay: {}\n", listening.error().message);
    return 1;
  }
  Relay(**transport, *target).run();
}
