// Nothing on the data path allocates in steady state: counted, not believed.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>

#include "audit/log.h"
#include "dataplane/loop/loop.h"
#include "dataplane/transport/uring_transport.h"
#include "snapshot_of.h"
#include "temporary_folder.h"
#include "token_maker.h"

namespace {
thread_local std::uint64_t allocations = 0;  // of this thread
}

// Every form of new ends in one of these two.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

using namespace sluice;
using namespace sluice::dataplane;
using test::must;

namespace sluice::dataplane {
extern template class Loop<UringTransport>;
}

namespace {

/// A socket of the test's own, closed when it goes.
struct Socket {
  int fd;
  explicit Socket(int descriptor) : fd(descriptor) {}
  ~Socket() { ::close(fd); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Reads until `end` was seen; false when the peer closed first.
  bool read_through(std::string_view end) const {
    std::string in;
    char room[8192];
    while (in.find(end) == std::string::npos) {
      const ssize_t got = ::recv(fd, room, sizeof room, 0);
      if (got <= 0) return false;
      in.append(room, static_cast<std::size_t>(got));
    }
    return true;
  }
  void write(std::string_view text) const {
    REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 56\r\n\r\n"
    R"({"card":"4111111111111111","cvc":"123","status":"paid"})"
    "\n";

/// Answers one connection's requests until it ends.
void serve(int listening) {
  const Socket connection(::accept(listening, nullptr, nullptr));
  while (connection.read_through("\r\n\r\n")) {
    if (::send(connection.fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  }
}

std::string configuration(std::uint16_t target_port) {
  return fmt::format(R"(version: 1
listeners:
  - {{name: payments, address: "127.0.0.1:1", protocol: http, target: api}}
targets:
  - {{name: api, addresses: ["127.0.0.1:{}"]}}
identity:
  api_keys: "file:keys.yaml"
  oidc: [{{name: corp, issuer: "https://id.example.com", audience: sluice}}]
policies:
  - {{name: open, operations: {{http: {{paths: ["/v1/**"], headers: [{{name: x-tenant, pattern: "^acme$"}}]}}}}, ruling: allow}}
masks:
  - {{name: pan, find: "builtin:payment-card", show: {{partial: {{first: 6, last: 4}}}}}}
  - {{name: cvc, find: {{json: ["$..cvc"]}}, show: redact}}
audit: {{directory: audit, signing_key: "file:audit.key"}}
)",
                     target_port);
}

/// Keys of the configuration's issuer, and a token that they prove.
struct Provider {
  test::ProviderKey key{test::ProviderKey::Kind::p256};
  std::string token = test::make_token(
      key, config::JwsAlgorithm::es256, R"({"alg":"ES256","typ":"JWT","kid":"k"})",
      R"({"iss":"https://id.example.com","aud":"sluice","sub":"bob","exp":4102444800})");

  [[nodiscard]] WorkerMail keys() const {
    auto table = std::make_shared<identity::TokenKeys>();
    table->generation = 1;
    table->issuers.push_back({"https://id.example.com",
                              std::make_shared<const identity::JwkSet>(
                                  must(identity::parse_jwk_set(test::key_set({key.jwk("k")})))),
                              {INT64_MAX},
                              1,
                              {}});
    WorkerMail mail;
    mail.token_keys = std::move(table);
    return mail;
  }
};

}  // namespace

TEST_CASE("A worker that is warm allocates nothing per request") {
  const Socket target(::socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in any = loopback(0);
  REQUIRE(::bind(target.fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
  REQUIRE(::listen(target.fd, 8) == 0);
  std::thread server(serve, target.fd);

  const std::array<std::uint8_t, 32> random{1, 2, 3};
  const auto key = identity::make_key("alice", {"clerks"}, {INT64_MAX}, random);
  const auto snapshot = test::snapshot_of(configuration(port_of(target.fd)), key.yaml_entry);

  const test::TemporaryFolder folder;
  audit::LogOptions log_options;
  log_options.directory = folder.path() / "audit";
  log_options.signing_key = folder.path() / "audit.key";
  must(audit::create_signing_key(log_options.signing_key, "test"));
  const auto log = must(audit::Log::open(log_options, Now{{1}, {1}}, [](std::uint32_t) {}));

  UringOptions options;
  options.connections_max = 64;
  options.buffer_bytes = 16U << 20;
  const auto transport = must(UringTransport::make(options));
  if (auto ok = transport->listen(must(parse_endpoint("127.0.0.1", 0)), 0); !ok)
    FAIL(ok.error().message);
  const auto listening = must(transport->local_endpoint(0));

  WorkerMetrics metrics;
  Mailbox<WorkerMail> mailbox([&] { transport->waker().wake(); });
  const Provider provider;
  mailbox.post(provider.keys());
  std::atomic<std::uint64_t> counted{0};
  std::thread worker([&] {
    Loop<UringTransport> loop(*transport, log->worker(0), metrics, mailbox, snapshot, {});
    while (loop.turn(milliseconds(10))) counted.store(allocations);
  });

  const Socket client(::socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in gateway = loopback(ntohs(listening.v4.sin_port));
  REQUIRE(::connect(client.fd, reinterpret_cast<const sockaddr*>(&gateway), sizeof gateway) == 0);
  const auto request_with = [](std::string_view credential) {
    return fmt::format(
        "GET /v1/payments?card=4111111111111111 HTTP/1.1\r\nHost: api\r\nX-Tenant: acme\r\n"
        "Authorization: Bearer {}\r\n\r\n",
        credential);
  };
  const std::string requests[] = {request_with(key.secret), request_with(provider.token)};
  const auto ask = [&](int times) {
    for (int i = 0; i < times; ++i) {
      for (const std::string& request : requests) {
        client.write(request);
        REQUIRE(client.read_through("\"status\":\"paid\"}\n"));
      }
    }
  };
  ask(200);
  const std::uint64_t warm = counted.load();
  ask(1000);
  // The turn of the last answer may not have been counted yet; nor does it matter.
  REQUIRE(warm != 0);  // starting up did allocate: the counter works
  CHECK(counted.load() == warm);
  CHECK(metrics.masks_applied.read() == 4800);

  ::shutdown(client.fd, SHUT_RDWR);
  WorkerMail mail;
  mail.stop = true;
  mailbox.post(std::move(mail));
  worker.join();
  server.join();
}
