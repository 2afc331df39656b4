// Bytes that go from one connection to another inside the transport, in every world.
#include <catch2/catch.hpp>

#include "harness.h"

namespace sluice::dataplane {
namespace {

#define IN_EVERY_WORLD(name) \
  TEMPLATE_TEST_CASE(name, "[transport][splice]", ModernWorld, PlainWorld, SimWorld)

constexpr std::size_t mebibyte = 1024 * 1024;

/// A client and a target, and what relays the one's bytes to the other: by splice where the
/// transport will, by receiving and sending where it won't.
template <class World>
class Relay {
 public:
  explicit Relay(Harness<World>& harness) : h(harness) {
    client_far = h.client(client);
    target = h.transport().connect(h.world.target());
    REQUIRE(h.until([&] { return h.near[target].connected; }));
    REQUIRE(h.until([&] { return (target_far = h.world.next_served()) != nullptr; }));
    h.receive(target);
  }

  /// Whether `total` bytes from the target have gone to the client.
  bool step(std::size_t total) {
    const Near& near = h.near[target];
    const bool is_sending = h.near[client].sent < sends_;
    if (is_sending) return false;
    // What is received ends a splice, so it comes before what the next one moves.
    if (relayed_ < near.received.size()) {
      part_ = near.received.substr(relayed_);
      relayed_ = near.received.size();
      ++sends_;
      h.send(client, part_);
      return false;
    }
    const std::size_t moved = relayed_ + near.spliced;
    if (moved < total) h.transport().splice(target, client, total - moved);
    return moved == total;
  }

  Harness<World>& h;
  ConnId client;
  ConnId target;
  Far* client_far = nullptr;
  Far* target_far = nullptr;

 private:
  std::string part_;
  std::size_t relayed_ = 0;
  int sends_ = 0;
};

/// Splices until the client takes no more, and one of the pipes is full.
template <class World>
void fill_up(Relay<World>& relay, const std::string& bytes) {
  relay.client_far->pause();
  relay.target_far->send(bytes);
  std::size_t before = 1;
  REQUIRE(relay.h.until([&] {
    const std::size_t moved = relay.h.near[relay.target].spliced;
    const bool stands_still = moved != 0 && moved == std::exchange(before, moved);
    relay.step(bytes.size());
    if (!stands_still) relay.h.turns(30);
    return stands_still;
  }));
}

IN_EVERY_WORLD("A spliced stream arrives whole and in order, and the rest is received") {
  Harness<TestType> h;
  Relay relay(h);
  const std::string bytes = pattern(6 * mebibyte);
  const std::size_t total = bytes.size() - 1000;
  const std::size_t splices = h.transport().splices_free();
  relay.target_far->send(bytes);
  REQUIRE(h.until([&] { return relay.step(total); }));
  REQUIRE(h.until([&] { return relay.client_far->received.size() == total; }));
  const bool is_same = relay.client_far->received == bytes.substr(0, total);
  CHECK(is_same);
  CHECK(h.near[relay.target].spliced > total / 2);
  CHECK(h.transport().splices_free() == splices);

  REQUIRE(h.until([&] { return h.near[relay.target].received.ends_with(bytes.substr(total)); }));
  h.send(relay.client, "and one more");
  REQUIRE(h.until([&] { return relay.client_far->received.ends_with("and one more"); }));
  REQUIRE(h.close_all());
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("A splice waits for a slow reader, who can still be heard") {
  Harness<TestType> h;
  Relay relay(h);
  const std::string bytes = pattern(24 * mebibyte);
  fill_up(relay, bytes);
  CHECK(h.near[relay.target].spliced < bytes.size());

  relay.client_far->send("wait for me");
  REQUIRE(h.until([&] { return h.near[relay.client].received == "wait for me"; }));
  relay.client_far->send(", please");
  REQUIRE(h.until([&] { return h.near[relay.client].received == "wait for me, please"; }));

  relay.client_far->resume();
  REQUIRE(h.until([&] { return relay.step(bytes.size()); }));
  REQUIRE(h.until([&] { return relay.client_far->received.size() == bytes.size(); }));
  const bool is_same = relay.client_far->received == bytes;
  CHECK(is_same);
  relay.client_far->send(" Thanks.");
  REQUIRE(h.until([&] { return h.near[relay.client].received.ends_with(" Thanks."); }));
  REQUIRE(h.close_all());
}

IN_EVERY_WORLD("While it is paused nothing more is taken for a splice") {
  Harness<TestType> h;
  Relay relay(h);
  h.pause(relay.target);
  h.turns(3);
  h.transport().splice(relay.target, relay.client, 4 * mebibyte);
  const std::string bytes = pattern(4 * mebibyte);
  relay.target_far->send(bytes);
  h.turns(30);
  CHECK(h.near[relay.target].spliced == 0);
  h.receive(relay.target);
  REQUIRE(h.until([&] { return relay.step(bytes.size()); }));
  REQUIRE(h.until([&] { return relay.client_far->received.size() == bytes.size(); }));
  const bool is_same = relay.client_far->received == bytes;
  CHECK(is_same);
  REQUIRE(h.close_all());
}

IN_EVERY_WORLD("The end of a spliced stream comes after its bytes") {
  Harness<TestType> h;
  Relay relay(h);
  const std::string bytes = pattern(2 * mebibyte);
  relay.target_far->send(bytes);
  relay.target_far->finish();
  REQUIRE(h.until([&] {
    relay.step(bytes.size() + 1);
    return h.near[relay.target].ended;
  }));
  REQUIRE(h.until([&] {
    relay.step(bytes.size() + 1);
    return relay.client_far->received.size() == bytes.size();
  }));
  const bool is_same = relay.client_far->received == bytes;
  CHECK(is_same);
  REQUIRE(h.close_all());
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("Whoever breaks off inside a splice has failed, and the other can be closed") {
  Harness<TestType> h;
  const std::size_t splices = h.transport().splices_free();
  Relay relay(h);
  fill_up(relay, pattern(24 * mebibyte));
  const bool is_target = GENERATE(false, true);
  (is_target ? relay.target_far : relay.client_far)->reset();
  if (is_target) relay.client_far->resume();
  const ConnId broken = is_target ? relay.target : relay.client;
  REQUIRE(h.until([&] { return h.near[broken].error != 0; }));
  CHECK(h.near[is_target ? relay.client : relay.target].error == 0);
  REQUIRE(h.close_all());
  CHECK(h.transport().splices_free() == splices);
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("What a given up splice held goes to nobody else") {
  Harness<TestType> h;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Relay relay(h);
    const std::string bytes = pattern(mebibyte, seed);
    relay.target_far->send(bytes);
    REQUIRE(h.until([&] { return relay.step(bytes.size()); }));
    REQUIRE(h.until([&] { return relay.client_far->received.size() == bytes.size(); }));
    const bool is_same = relay.client_far->received == bytes;
    CHECK(is_same);

    Relay given_up(h);
    fill_up(given_up, pattern(24 * mebibyte, seed + 10));
    REQUIRE(h.close_all());
  }
}

IN_EVERY_WORLD("A splice can be closed at any moment of its life") {
  Harness<TestType> h;
  const std::size_t splices = h.transport().splices_free();
  for (int turns = 0; turns < 12; ++turns) {
    Relay relay(h);
    relay.target_far->send(pattern(mebibyte));
    h.transport().splice(relay.target, relay.client, mebibyte);
    h.turns(turns, {100'000});
    const bool is_client_first = turns % 2 == 0;
    h.close(is_client_first ? relay.client : relay.target);
    h.turns(turns % 3, {100'000});
    REQUIRE(h.close_all());
  }
  CHECK(h.transport().splices_free() == splices);
  CHECK(h.is_balanced());
}

IN_EVERY_WORLD("Where there are too many splices, bytes are received as ever") {
  Harness<TestType> h({.connections_max = 400});
  const std::size_t splices = h.transport().splices_free();
  REQUIRE(splices > 0);
  std::vector<std::unique_ptr<Relay<TestType>>> relays;
  for (std::size_t i = 0; i < splices + 3; ++i) {
    relays.push_back(std::make_unique<Relay<TestType>>(h));
    h.pause(relays.back()->target);
  }
  h.turns(3);
  const std::string bytes = pattern(mebibyte / 2);
  for (const auto& relay : relays) {
    h.transport().splice(relay->target, relay->client, bytes.size());
    h.receive(relay->target);
    relay->target_far->send(bytes);
  }
  REQUIRE(h.until([&] {
    bool is_done = true;
    for (const auto& relay : relays) is_done = relay->step(bytes.size()) && is_done;
    return is_done;
  }));
  for (const auto& relay : relays) {
    REQUIRE(h.until([&] { return relay->client_far->received.size() == bytes.size(); }));
    const bool is_same = relay->client_far->received == bytes;
    CHECK(is_same);
  }
  REQUIRE(h.close_all());
  CHECK(h.transport().splices_free() == splices);
}

}  // namespace
}  // namespace sluice::dataplane
