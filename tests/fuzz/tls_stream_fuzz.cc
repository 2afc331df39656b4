// A server's TLS stream against bytes of anyone's choosing, in its handshake or behind one.
//
// The first byte says which, the second how the rest is cut. Oracles: what was not encrypted
// for the stream is never plaintext; what failed stays failed; it takes no more than it is given.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "dataplane/tls/tls_stream.h"
#include "test_tls.h"

namespace {

using namespace sluice;
using namespace sluice::dataplane;

struct Contexts {
  std::shared_ptr<const TlsContext> server =
      test::tls_server(test::test_certificate("DNS:gw.test"));
  std::shared_ptr<const TlsContext> client = test::tls_client();
};

const Contexts& contexts() {
  static const Contexts made;
  return made;
}

std::array<std::uint8_t, 64 * 1024> room;
std::array<std::uint8_t, 64 * 1024> other_room;
std::array<std::uint8_t, 16 * 1024> plain;

/// Plaintext that a stream makes of bytes.
std::size_t feed(TlsStream& stream, ByteView bytes, TlsOutput& out) {
  std::size_t made = 0;
  for (;;) {
    const auto done = stream.read(bytes, plain, out);
    if (done.taken_bytes > bytes.size() || done.plain_bytes > plain.size()) std::abort();
    bytes = bytes.subspan(done.taken_bytes);
    made += done.plain_bytes;
    if (done.taken_bytes == 0 && done.plain_bytes == 0) return made;
  }
}

void shake_hands(TlsStream& client, TlsStream& server) {
  TlsOutput to_server{room};
  feed(client, {}, to_server);
  while (to_server.size_bytes != 0) {
    TlsOutput to_client{other_room};
    feed(server, to_server.bytes(), to_client);
    to_server = {room};
    feed(client, to_client.bytes(), to_server);
  }
  if (server.state() != TlsStream::State::open) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  TlsStream server(contexts().server);
  TlsStream client(contexts().client, "gw.test");
  if (data[0] % 2 != 0) shake_hands(client, server);
  const std::size_t piece = std::size_t{data[1]} + 1;
  for (ByteView rest{data + 2, size - 2}; !rest.empty();) {
    const bool had_failed = server.state() == TlsStream::State::failed;
    TlsOutput out{room};
    const ByteView next = rest.first(std::min(piece, rest.size()));
    if (feed(server, next, out) != 0) std::abort();
    if (had_failed && (server.state() != TlsStream::State::failed || out.size_bytes != 0)) {
      std::abort();
    }
    rest = rest.subspan(next.size());
  }
  return 0;
}
