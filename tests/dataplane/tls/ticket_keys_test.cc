// Sessions are resumed by tickets that any worker opens, for as long as their key is there.
#include "dataplane/tls/ticket_keys.h"

#include <openssl/ssl.h>

#include <array>
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>

#include "tls/stream_pair.h"

namespace sluice::dataplane {
namespace {

constexpr Instant start{7'000'000'000};

std::shared_ptr<TicketKeys> worker_of(const TicketSeed& seed, Duration age = {}) {
  auto keys = std::make_shared<TicketKeys>(seed);
  keys->advance(start + age);
  return keys;
}

std::shared_ptr<const TlsServerPlan> plan_of(config::Protocol protocol = config::Protocol::http) {
  const test::Pem pair = test::test_certificate("DNS:gw.test");
  config::ListenerTls settings;
  settings.certificate = test::file_text("gw.crt", pair.certificate);
  settings.key = test::file_text("gw.key", pair.key);
  return test::must(plan_tls(settings, protocol));
}

/// One who keeps the last ticket that it was given, and shows it next time.
class Client {
 public:
  explicit Client(int version) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    // In TLS 1.2 it is part of the handshake's session.
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->keep(session);
      return 1;
    });
  }
  ~Client() { SSL_SESSION_free(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  struct Met {
    bool is_resumed = false;
    bool got_ticket = false;
  };
  Met meet(const std::shared_ptr<const TlsServerPlan>& plan, std::shared_ptr<TicketKeys> keys) {
    End server(test::must(TlsContext::make(plan, std::move(keys))));
    const Openssl<SSL> ssl(SSL_new(context_.get()));
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_connect_state(ssl.get());
    if (session_ != nullptr) SSL_set_session(ssl.get(), session_);
    const std::string before = ticket();
    for (bool moves = true; moves;) {
      std::uint8_t nothing = 0;
      SSL_read(ssl.get(), &nothing, 1);
      std::string sent(BIO_ctrl_pending(out), '\0');
      BIO_read(out, sent.data(), static_cast<int>(sent.size()));
      server.receive(sent);
      const std::string answer = server.take_sent();
      BIO_write(in, answer.data(), static_cast<int>(answer.size()));
      moves = !sent.empty() || !answer.empty();
    }
    REQUIRE(server.is_open());
    // In TLS 1.3 a ticket comes with the first answer, and not before.
    if (SSL_version(ssl.get()) == TLS1_3_VERSION) CHECK(ticket() == before);
    server.send("answer");
    const std::string answer = server.take_sent();
    BIO_write(in, answer.data(), static_cast<int>(answer.size()));
    std::array<char, 16> heard{};
    REQUIRE(SSL_read(ssl.get(), heard.data(), heard.size()) == 6);
    CHECK(server.stream().is_resumed() == (SSL_session_reused(ssl.get()) == 1));
    // Else OpenSSL takes the connection for one that broke, and does not show its ticket again.
    SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (SSL_version(ssl.get()) == TLS1_2_VERSION) keep(SSL_get1_session(ssl.get()));
    return {server.stream().is_resumed(), !ticket().empty() && ticket() != before};
  }

 private:
  void keep(SSL_SESSION* session) { SSL_SESSION_free(std::exchange(session_, session)); }
  [[nodiscard]] std::string ticket() const {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    if (session_ != nullptr) SSL_SESSION_get0_ticket(session_, &bytes, &size);
    return {bytes, bytes + size};
  }

  Openssl<SSL_CTX> context_;
  SSL_SESSION* session_ = nullptr;
};

TEST_CASE("A ticket opens at every worker, for as long as its key is there", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto plan = plan_of();
  const TicketSeed seed(start);
  const auto first = worker_of(seed);
  const auto second = worker_of(seed);
  Client client(version);
  const auto full = client.meet(plan, first);
  CHECK_FALSE(full.is_resumed);
  REQUIRE(full.got_ticket);

  SECTION("at another worker") {
    const auto met = client.meet(plan, second);
    CHECK(met.is_resumed);
    // In TLS 1.3 each ticket is for one connection.
    CHECK(met.got_ticket == (version == TLS1_3_VERSION));
  }
  SECTION("in the next hour, and there is a new one") {
    second->advance(start + TicketKeys::lifetime);
    const auto met = client.meet(plan, second);
    CHECK(met.is_resumed);
    CHECK(met.got_ticket);
    // Which opens in the hour after.
    second->advance(start + seconds(2 * 3600));
    CHECK(client.meet(plan, second).is_resumed);
  }
  SECTION("not in the hour after that") {
    second->advance(start + seconds(2 * 3600));
    const auto met = client.meet(plan, second);
    CHECK_FALSE(met.is_resumed);
    CHECK(met.got_ticket);
  }
  SECTION("not in a gateway that was started anew") {
    const TicketSeed another(start);
    CHECK_FALSE(client.meet(plan, worker_of(another)).is_resumed);
  }
  SECTION("not at a listener with another certificate") {
    CHECK_FALSE(client.meet(plan_of(), second).is_resumed);
  }
}

TEST_CASE("Workers that look at the time at different moments have the same keys", "[tls]") {
  const TicketSeed seed(start);
  const auto often = worker_of(seed);
  for (int minute = 0; minute <= 600; ++minute) often->advance(start + seconds(60 * minute));
  const auto once = worker_of(seed, seconds(600 * 60));
  CHECK(often->current().name == once->current().name);
  CHECK(often->current().cipher == once->current().cipher);
  CHECK(often->current().mac == once->current().mac);
  CHECK(often->find(once->current().name) == &often->current());
  CHECK(worker_of(seed)->find(once->current().name) == nullptr);
  // What is not a key yet opens nothing.
  CHECK(worker_of(seed)->find(std::array<std::uint8_t, TicketKeys::name_bytes>{}) == nullptr);
}

TEST_CASE("Who cannot resume is given no ticket", "[tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Client client(version);
  const TicketSeed seed(start);
  CHECK_FALSE(client.meet(plan_of(), nullptr).got_ticket);
  CHECK_FALSE(client.meet(plan_of(config::Protocol::postgres), worker_of(seed)).got_ticket);
}

}  // namespace
}  // namespace sluice::dataplane
