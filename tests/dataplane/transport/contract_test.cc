// The transport's promises, kept alike on the kernel's newest ways, on those of
// older kernels, in the simulation, and there behind TLS.
#include <dirent.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <set>
#include <thread>

#include "harness.h"
#include "tls/secure_world.h"

namespace sluice::dataplane {
namespace {

#define IN_EVERY_WORLD(name)                                                              \
  TEMPLATE_TEST_CASE(name, "[transport]", ModernWorld, PlainWorld, SimWorld, SecureWorld, \
                     KernelSecureWorld, KernelSecureWorld12)

constexpr std::size_t mebibyte = 1024 * 1024;

std::size_t open_files() {
  std::size_t count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

IN_EVERY_WORLD("A client is accepted, talks, leaves and is closed") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  CHECK(h.near[id].peer.generic.sa_family == AF_INET);

  far->send("hello");
  REQUIRE(h.until([&] { return h.near[id].received == "hello"; }));
  h.send(id, "and welcome");
  REQUIRE(h.until([&] { return far->received == "and welcome" && h.near[id].sent == 1; }));
  far->finish();
  REQUIRE(h.until([&] { return h.near[id].ended; }));
  h.close(id);
  REQUIRE(h.until([&] { return h.near[id].closed; }));
  REQUIRE(h.until([&] { return far->ended; }));
  CHECK_FALSE(far->broken);
  CHECK(h.is_balanced());
  CHECK(h.transport().counters().accepted.read() == 1);
}

IN_EVERY_WORLD("Nothing is read before receive is called") {
  Harness<TestType> h;
  h.receives_at_once = false;
  ConnId id;
  Far* const far = h.client(id);
  far->send("early");
  h.turns(20);
  CHECK(h.near[id].received.empty());
  h.receive(id);
  h.receive(id);  // once more changes nothing
  REQUIRE(h.until([&] { return h.near[id].received == "early"; }));
}

IN_EVERY_WORLD("A connect reaches its target, and a refused one fails once") {
  Harness<TestType> h;
  const ConnId id = h.transport().connect(h.world.target());
  const ConnId lost = h.transport().connect(h.world.nobody());
  REQUIRE(h.until([&] { return h.near[id].connected && h.near[lost].error != 0; }));
  CHECK(h.near[lost].error == ECONNREFUSED);
  CHECK_FALSE(h.near[lost].connected);

  h.receive(id);
  h.send(id, "question");
  Far* far = nullptr;
  REQUIRE(h.until([&] { return (far = h.world.next_served()) != nullptr; }));
  REQUIRE(h.until([&] { return far->received == "question"; }));
  far->send("answer");
  REQUIRE(h.until([&] { return h.near[id].received == "answer"; }));
  REQUIRE(h.close_all());
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("A connect that is never answered can be closed") {
  Harness<TestType> h;
  const ConnId id = h.transport().connect(h.world.mute());
  h.turns(20);
  CHECK_FALSE(h.near[id].connected);
  CHECK(h.near[id].error == 0);
  h.close(id);
  REQUIRE(h.until([&] { return h.near[id].closed; }));
}

IN_EVERY_WORLD("Slices go out in order as one send") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  const std::string bytes = pattern(slices_per_send_max * 1000);
  std::array<Slice, slices_per_send_max> slices;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    slices[i] = {as_bytes(bytes).data() + i * 1000, 1000};
  }
  h.transport().send(id, slices);
  REQUIRE(h.until([&] { return far->received.size() == bytes.size(); }));
  CHECK(far->received == bytes);
  CHECK(h.near[id].sent == 1);
}

IN_EVERY_WORLD("A large send waits for a slow reader and completes once") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  far->pause();
  const std::string bytes = pattern(16 * mebibyte);
  const std::size_t half = bytes.size() / 2;
  const std::array<Slice, 2> slices{
      Slice{as_bytes(bytes).data(), static_cast<std::uint32_t>(half)},
      Slice{as_bytes(bytes).data() + half, static_cast<std::uint32_t>(bytes.size() - half)}};
  h.transport().send(id, slices);
  h.turns(50);
  CHECK(h.near[id].sent == 0);
  far->resume();
  REQUIRE(h.until([&] { return far->received.size() == bytes.size(); }));
  CHECK(far->received == bytes);
  REQUIRE(h.until([&] { return h.near[id].sent == 1; }));
}

IN_EVERY_WORLD("A flood arrives whole and in order through pauses") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  const std::string bytes = pattern(8 * mebibyte);
  far->send(bytes);
  const std::size_t slots = h.transport().pool().size();
  std::size_t held_most = 0;
  int pauses = 0;
  const auto step = [&] {
    h.pause(id);
    ++pauses;
    // While nobody reads, the connection may hold only so much.
    h.turns(3, {100'000});
    held_most = std::max(held_most,
                         slots - h.transport().pool().free_count() - h.transport().buffers_lent());
    h.receive(id);
  };
  REQUIRE(h.until([&] {
    step();
    return h.near[id].received.size() == bytes.size();
  }));
  CHECK(h.near[id].received == bytes);
  CHECK(held_most <= 128);
  CHECK(pauses > 1);
  far->finish();
  REQUIRE(h.until([&] { return h.near[id].ended; }));
  REQUIRE(h.close_all());
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("The peer's end does not end our sending, nor ours its") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  far->send("request");
  far->finish();
  REQUIRE(h.until([&] { return h.near[id].ended; }));
  CHECK(h.near[id].received == "request");
  h.send(id, "response");
  REQUIRE(h.until([&] { return far->received == "response"; }));

  ConnId other_id;
  Far* const other = h.client(other_id);
  h.send(other_id, "last words");
  h.transport().shutdown(other_id);  // after what is still being sent
  REQUIRE(h.until([&] { return other->ended; }));
  CHECK(other->received == "last words");
  other->send("understood");
  REQUIRE(h.until([&] { return h.near[other_id].received == "understood"; }));
  REQUIRE(h.close_all());
}

IN_EVERY_WORLD("A reset is a failure, told once, and closing it works") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  h.turns(20);  // until TLS has nothing to say any more
  far->reset();
  REQUIRE(h.until([&] { return h.near[id].error != 0; }));
  CHECK(h.near[id].error == ECONNRESET);
  h.send(id, "into the void");  // ignored
  h.turns(10);
  h.close(id);
  REQUIRE(h.until([&] { return h.near[id].closed; }));
  CHECK(h.near[id].sent == 0);
}

IN_EVERY_WORLD("A reset during a send fails it") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  far->pause();
  const std::string bytes = pattern(16 * mebibyte);
  h.send(id, bytes);
  h.turns(10);
  far->reset();
  REQUIRE(h.until([&] { return h.near[id].error != 0; }));
  CHECK(h.near[id].sent == 0);
  REQUIRE(h.close_all());
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("Clients beyond the table are closed at once and counted") {
  Harness<TestType> h({.connections_max = 3});
  std::vector<ConnId> ids;
  for (int i = 0; i < 3; ++i) h.client(ids.emplace_back());
  Far& extra = h.world.open_client();
  REQUIRE(h.until([&] { return extra.ended || extra.broken; }));
  CHECK(h.transport().counters().refused.read() == 1);
  CHECK(h.transport().connect(h.world.target()) == ConnId{});

  h.close(ids[1]);
  REQUIRE(h.until([&] { return h.near[ids[1]].closed; }));
  ConnId next;
  h.client(next);
  CHECK(next.index == ids[1].index);
  CHECK(next.generation != ids[1].generation);
}

IN_EVERY_WORLD("An empty pool stalls receiving until buffers come back") {
  Harness<TestType> h({.buffer_bytes = 8 * 33'088});
  h.keeps_buffers = true;
  ConnId id;
  Far* const far = h.client(id);
  ConnId other_id;
  Far* const other = h.client(other_id);
  const std::string bytes = pattern(2 * mebibyte);
  far->send(bytes);
  other->send(bytes);
  const auto give_back = [&](ConnId conn) {
    for (const BufferId buffer : std::exchange(h.near[conn].kept, {})) {
      h.transport().pool().release(buffer);
    }
  };
  REQUIRE(h.until([&] { return h.transport().counters().starvations.read() > 0; }));
  h.turns(10);
  const std::size_t stalled_at = h.near[id].received.size() + h.near[other_id].received.size();
  h.turns(10);
  CHECK(h.near[id].received.size() + h.near[other_id].received.size() == stalled_at);

  REQUIRE(h.until([&] {
    give_back(id);
    give_back(other_id);
    return h.near[id].received.size() == bytes.size() &&
           h.near[other_id].received.size() == bytes.size();
  }));
  CHECK(h.near[id].received == bytes);
  CHECK(h.near[other_id].received == bytes);
  give_back(id);
  give_back(other_id);
  REQUIRE(h.close_all());
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("Close ends a send under way and frees its slices") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  far->pause();
  {
    const std::string bytes = pattern(16 * mebibyte);
    h.send(id, bytes);
    h.turns(5);
    h.close(id);
    REQUIRE(h.until([&] { return h.near[id].closed; }));
  }
  CHECK(h.near[id].sent == 0);
  h.turns(10);
  CHECK(h.broken_promise.empty());
}

IN_EVERY_WORLD("Close while bytes pour in gives every buffer back") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  far->send(pattern(4 * mebibyte));
  REQUIRE(h.until([&] { return !h.near[id].received.empty(); }));
  h.close(id);
  REQUIRE(h.until([&] { return h.near[id].closed; }));
  h.turns(5);
  CHECK(h.is_balanced());
  CHECK(h.broken_promise.empty());
}

IN_EVERY_WORLD("Calls with a dead name change nothing") {
  Harness<TestType> h({.connections_max = 1});
  ConnId dead;
  h.client(dead);
  h.close(dead);
  h.transport().close(dead);
  REQUIRE(h.until([&] { return h.near[dead].closed; }));
  ConnId id;
  Far* const far = h.client(id);
  REQUIRE(id.index == dead.index);

  h.send(dead, "not for you");
  h.transport().pause(dead);
  h.transport().shutdown(dead);
  h.transport().close(dead);
  h.transport().receive(ConnId{});
  far->send("still here");
  REQUIRE(h.until([&] { return h.near[id].received == "still here"; }));
  CHECK(far->received.empty());
  CHECK_FALSE(far->ended);
}

IN_EVERY_WORLD("A connect between two closed of a batch takes the index of neither") {
  Harness<TestType> h;
  std::set<std::uint32_t> closing;
  int made = 0;
  bool taken_early = false;
  h.then = [&](const Completion& c) {
    if (c.kind != Completion::Kind::closed) return;
    closing.erase(c.conn.index);
    taken_early = taken_early || closing.contains(h.transport().connect(h.world.nobody()).index);
    ++made;
  };
  std::array<ConnId, 8> ids;
  for (ConnId& id : ids) h.client(id);
  for (const ConnId& id : ids) closing.insert(id.index);
  for (const ConnId& id : ids) h.close(id);
  REQUIRE(h.until([&] { return made == 8; }));
  CHECK_FALSE(taken_early);
}

IN_EVERY_WORLD("Another thread wakes the poll, and no wake is lost") {
  Harness<TestType> h;
  std::atomic<int> given{0};
  std::atomic<int> seen{0};
  std::thread other([&] {
    for (int i = 1; i <= 200; ++i) {
      given = i;
      h.transport().waker().wake();
      while (seen < i) std::this_thread::yield();
    }
  });
  const bool all = h.until([&] {
    if (h.woken > 0) seen = given.load();
    return seen == 200;
  });
  seen = 200;
  other.join();
  CHECK(all);
}

IN_EVERY_WORLD("A thousand connections come and go and leave nothing behind") {
  Harness<TestType> h({.connections_max = 32});
  // Answers each sentence and lets the client close.
  std::map<ConnId, std::string> answers;
  h.then = [&](const Completion& c) {
    if (c.kind == Completion::Kind::received && h.near[c.conn].received.back() == '.') {
      answers[c.conn] = "echo of " + h.near[c.conn].received;
      h.send(c.conn, answers[c.conn]);
    }
    if (c.kind == Completion::Kind::peer_closed || c.kind == Completion::Kind::failed) {
      h.close(c.conn);
    }
  };
  const std::size_t files_before = open_files();
  for (int round = 0; round < 50; ++round) {
    std::vector<std::pair<Far*, std::string>> fars;
    for (int i = 0; i < 20; ++i) {
      const std::string word = std::to_string(round * 20 + i) + '.';
      fars.emplace_back(&h.world.open_client(), word);
      fars.back().first->send(word);
    }
    REQUIRE(h.until([&] {
      return std::all_of(fars.begin(), fars.end(),
                         [](auto& f) { return f.first->received == "echo of " + f.second; });
    }));
    for (auto& [far, word] : fars) round % 3 == 0 ? far->reset() : far->finish();
    REQUIRE(h.until([&] { return h.transport().connections_open() == 0; }));
    answers.clear();
  }
  CHECK(h.transport().counters().accepted.read() == 1000);
  CHECK(h.is_balanced());
  if (TestType::is_real) CHECK(open_files() <= files_before + 1000);  // the far ends' own
}

IN_EVERY_WORLD("After stop_accepting no client comes, and those that came stay") {
  Harness<TestType> h;
  ConnId id;
  Far* const far = h.client(id);
  h.transport().stop_accepting();
  h.turns(10);
  Far& late = h.world.open_client();
  REQUIRE(h.until([&] { return late.broken; }));
  CHECK(h.accepted.size() == 1);
  far->send("still served");
  REQUIRE(h.until([&] { return h.near[id].received == "still served"; }));
}

IN_EVERY_WORLD("The clocks stand still between polls and go on in them") {
  Harness<TestType> h;
  h.turn();
  const Now before = h.transport().now();
  CHECK(h.transport().now().monotonic == before.monotonic);
  h.turns(3);
  CHECK(h.transport().now().monotonic > before.monotonic);
  CHECK(h.transport().now().wall > before.wall);
}

TEST_CASE("A ring gives back every descriptor", "[transport]") {
  const std::size_t before = open_files();
  for (const bool plain : {false, true}) {
    auto transport = UringTransport::make({.connections_max = 16, .plain = plain});
    REQUIRE(transport.has_value());
    REQUIRE((*transport)->listen(loopback(), 0).has_value());
    std::array<Completion, 4> done{};
    (*transport)->poll(done, {});
    CHECK(open_files() > before);
  }
  CHECK(open_files() == before);
}

TEST_CASE("What cannot be had is refused with what to change", "[transport]") {
  CHECK_FALSE(UringTransport::make({.connections_max = 0}).has_value());
  CHECK_FALSE(UringTransport::make({.buffer_bytes = 100}).has_value());
  const auto many = UringTransport::make({.connections_max = 1U << 24});
  REQUIRE_FALSE(many.has_value());
  CHECK(many.error().message.find("LimitNOFILE") != std::string::npos);

  auto transport = UringTransport::make({.connections_max = 16});
  REQUIRE(transport.has_value());
  REQUIRE((*transport)->listen(loopback(), 0).has_value());
  const auto away = (*transport)->listen(*parse_endpoint("192.0.2.1", 80), 1);
  REQUIRE_FALSE(away.has_value());
  CHECK(away.error().message.find("192.0.2.1:80") != std::string::npos);
}

}  // namespace
}  // namespace sluice::dataplane
