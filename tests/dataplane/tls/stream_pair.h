// A client's and a server's TlsStream back to back, and a wire that cuts where a test says.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/tls/tls_stream.h"
#include "test_tls.h"

namespace sluice::dataplane {

/// One end, with what it received and what it has to say.
class End {
 public:
  explicit End(std::shared_ptr<const TlsContext> context, const std::string& peer_name = {},
               std::size_t room_bytes = 64 * 1024)
      : stream_(std::move(context), peer_name), room_(room_bytes) {}

  [[nodiscard]] TlsStream& stream() { return stream_; }
  [[nodiscard]] bool is_open() const { return stream_.state() == TlsStream::State::open; }
  [[nodiscard]] TlsFault fault() const { return stream_.failure().fault; }

  /// Hands it ciphertext until it takes no more. Plaintext comes in pieces of `plain_bytes`.
  void receive(std::string_view bytes, std::size_t plain_bytes = 16 * 1024) {
    pending_ += bytes;
    for (bool moves = true; moves;) {
      std::vector<std::uint8_t> plain(plain_bytes);
      TlsOutput out{room_};
      const auto done = stream_.read(as_bytes(pending_), plain, out);
      pending_.erase(0, done.taken_bytes);
      received += as_text({plain.data(), done.plain_bytes});
      sent += as_text(out.bytes());
      moves = done.taken_bytes != 0 || done.plain_bytes != 0 || out.size_bytes != 0;
    }
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      TlsOutput out{room_};
      const std::size_t taken = stream_.write(as_bytes(bytes), out);
      if (taken == 0) throw std::runtime_error("nothing was written");
      bytes.remove_prefix(taken);
      sent += as_text(out.bytes());
    }
  }
  void finish() {
    TlsOutput out{room_};
    stream_.end(out);
    sent += as_text(out.bytes());
  }
  std::string take_sent() { return std::exchange(sent, {}); }

  std::string received;
  std::string sent;  ///< Ciphertext.

 private:
  TlsStream stream_;
  std::vector<std::uint8_t> room_;
  std::string pending_;
};

/// The sizes of the pieces in which `total` bytes arrive.
using Cut = std::function<std::size_t(std::size_t left)>;
inline std::size_t whole(std::size_t left) {
  return left;
}

inline void carry(End& from, End& to, const Cut& cut = whole) {
  std::string bytes = from.take_sent();
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), std::max<std::size_t>(cut(bytes.size()), 1));
    to.receive(bytes.substr(0, size));
    bytes.erase(0, size);
  }
}

/// Until neither has anything to say.
inline void talk(End& client, End& server, const Cut& cut = whole) {
  client.receive({});
  while (!client.sent.empty() || !server.sent.empty()) {
    carry(client, server, cut);
    carry(server, client, cut);
  }
}

}  // namespace sluice::dataplane
