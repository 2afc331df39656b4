// The world of a contract test in which every connection speaks TLS, on the simulated network.
#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <map>
#include <memory>

#include "dataplane/tls/secure_transport_impl.h"
#include "dataplane/transport/sim_transport.h"
#include "protecting_transport.h"
#include "test_tls.h"
#include "tls_sim_peer.h"
#include "transport/far.h"
#include "transport/worlds.h"

namespace sluice::dataplane {

/// Secures what comes and what is made, and reports it only then.
template <class Below>
class AlwaysSecure {
 public:
  AlwaysSecure(const SimOptions& options, std::shared_ptr<const TlsContext> server,
               std::shared_ptr<const TlsContext> client)
      : below_(options),
        secure_(below_, as_server_, as_client_),
        server_(std::move(server)),
        client_(std::move(client)) {}

  Below& below() { return below_; }
  const TlsMetrics& as_server() const { return as_server_; }
  const TlsMetrics& as_client() const { return as_client_; }

  ConnId connect(const Endpoint& peer) { return secure_.connect(peer); }
  void receive(ConnId id) { secure_.receive(id); }
  void pause(ConnId id) { secure_.pause(id); }
  void send(ConnId id, std::span<const Slice> slices) { secure_.send(id, slices); }
  void splice(ConnId from, ConnId to, std::uint64_t size) { secure_.splice(from, to, size); }
  std::size_t splices_free() const { return secure_.splices_free(); }
  void shutdown(ConnId id) { secure_.shutdown(id); }
  /// As whoever has nothing to cut off does it.
  void close(ConnId id) {
    const TlsStream* const stream = secure_.stream(id);
    if (stream != nullptr && stream->state() == TlsStream::State::open) secure_.shutdown(id);
    secure_.close(id);
  }
  Now now() const { return secure_.now(); }
  BufferPool& pool() { return secure_.pool(); }
  std::uint32_t connections_max() const { return secure_.connections_max(); }
  Waker& waker() { return secure_.waker(); }
  void stop_accepting() { secure_.stop_accepting(); }
  const TransportCounters& counters() const { return below_.counters(); }
  std::size_t buffers_lent() const { return below_.buffers_lent(); }
  std::uint32_t connections_open() const { return below_.connections_open(); }

  std::size_t poll(std::span<Completion> done, Duration wait) {
    using Kind = Completion::Kind;
    const std::size_t polled = secure_.poll(done, wait);
    std::size_t count = 0;
    for (std::size_t i = 0; i < polled; ++i) {
      const Completion news = done[i];
      if (news.kind == Kind::accepted || news.kind == Kind::connected) {
        waiting_[news.conn] = news;
        secure_.secure(news.conn, news.kind == Kind::accepted ? server_ : client_,
                       news.kind == Kind::accepted ? "" : "far.test");
        continue;
      }
      if (news.kind == Kind::closed) waiting_.erase(news.conn);
      done[count++] = news.kind == Kind::secured ? waiting_.at(news.conn) : news;
    }
    return count;
  }

 private:
  Below below_;
  TlsMetrics as_server_;
  TlsMetrics as_client_;
  SecureTransport<Below> secure_;
  std::shared_ptr<const TlsContext> server_;
  std::shared_ptr<const TlsContext> client_;
  std::map<ConnId, Completion> waiting_;
};
static_assert(Transport<AlwaysSecure<SimTransport>>);

/// version_max  of what the far ends speak.
template <class Below, int version_max = TLS1_3_VERSION>
class SecureWorldOver {
 public:
  using Transport = AlwaysSecure<Below>;
  static constexpr bool is_real = false;

  explicit SecureWorldOver(const WorldOptions& options, SimOptions sim = {})
      : transport_(
            [&] {
              sim.seed = options.seed;
              sim.connections_max = options.connections_max;
              sim.buffer_bytes = options.buffer_bytes;
              return sim;
            }(),
            contexts().server, contexts().client) {
    transport_.below().serve(target(), [this] {
      SimFar& far = fars_.emplace_back();
      served_.push_back(&far);
      return &peers_.emplace_back(far, contexts().server);
    });
    transport_.below().swallow(mute());
  }

  Transport& transport() { return transport_; }
  Far& open_client() {
    SimFar& far = fars_.emplace_back();
    transport_.below().bring_client(7, peers_.emplace_back(far, contexts().client, "far.test"));
    return far;
  }
  Endpoint target() const { return loopback(1); }
  Endpoint nobody() const { return loopback(2); }
  Endpoint mute() const { return loopback(3); }
  Far* next_served() {
    if (served_.empty()) return nullptr;
    SimFar* const far = served_.front();
    served_.pop_front();
    return far;
  }
  void pump() {}

 private:
  struct Contexts {
    std::shared_ptr<const TlsContext> server =
        test::tls_server(test::test_certificate("DNS:far.test"));
    std::shared_ptr<const TlsContext> client = test::tls_client();

    Contexts() {
      for (const auto& one : {server, client}) {
        SSL_CTX_set_max_proto_version(one->get(), version_max);
      }
    }
  };
  static const Contexts& contexts() {
    static const Contexts made;
    return made;
  }

  Transport transport_;
  std::deque<SimFar> fars_;
  std::deque<test::TlsSimPeer> peers_;
  std::deque<SimFar*> served_;
};
using SecureWorld = SecureWorldOver<SimTransport>;
using KernelSecureWorld = SecureWorldOver<test::ProtectingTransport>;
using KernelSecureWorld12 = SecureWorldOver<test::ProtectingTransport, TLS1_2_VERSION>;

}  // namespace sluice::dataplane
