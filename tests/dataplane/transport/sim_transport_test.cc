// What only the simulation can show: one seed, one story; and the same echo
// server through every kind of bad luck.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "harness.h"

namespace sluice::dataplane {
namespace {

/// Sends back what it gets, one send at a time, reading only while it can.
class Echo {
 public:
  explicit Echo(Harness<SimWorld>& harness) : h_(harness) {
    h_.keeps_buffers = true;
    h_.then = [this](const Completion& c) { handle(c); };
  }

 private:
  struct State {
    std::vector<std::pair<BufferId, std::uint32_t>> queue;
    std::size_t sending = 0;
    bool ended = false;
  };

  void handle(const Completion& c) {
    State& state = states_[c.conn];
    if (c.kind == Completion::Kind::received) {
      state.queue.emplace_back(c.buffer, c.size_bytes);
      if (state.queue.size() >= 2) h_.pause(c.conn);
      flush(c.conn, state);
    } else if (c.kind == Completion::Kind::sent) {
      drop(state, state.sending);
      state.sending = 0;
      h_.receive(c.conn);
      flush(c.conn, state);
    } else if (c.kind == Completion::Kind::peer_closed) {
      state.ended = true;
      flush(c.conn, state);
    } else if (c.kind == Completion::Kind::failed) {
      h_.close(c.conn);
    } else if (c.kind == Completion::Kind::closed) {
      drop(state, state.queue.size());
    }
  }

  void flush(ConnId id, State& state) {
    if (state.sending > 0) return;
    std::vector<Slice> slices;
    for (const auto& [buffer, size] : state.queue) {
      slices.push_back({h_.transport().pool().data(buffer), size});
    }
    state.sending = slices.size();
    if (!slices.empty()) return h_.transport().send(id, slices);
    if (state.ended) h_.close(id);
  }

  void drop(State& state, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      h_.transport().pool().release(state.queue.front().first);
      state.queue.erase(state.queue.begin());
    }
  }

  Harness<SimWorld>& h_;
  std::map<ConnId, State> states_;
};

struct Story {
  std::string told;
  int whole = 0;   ///< Clients that got everything back.
  int broken = 0;  ///< Clients whose connection was reset.
};

Story run(std::uint64_t seed, SimOptions options) {
  Harness<SimWorld> h({.connections_max = 8, .buffer_bytes = 6 * 33'088, .seed = seed}, options);
  Echo echo(h);
  std::vector<std::pair<Far*, std::string>> clients;
  SimRandom random(seed);
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back(&h.world.open_client(), pattern(random.up_to(200'000), seed + 1));
    clients.back().first->send(clients.back().second);
    clients.back().first->finish();
  }
  const bool over = h.until([&] {
    return std::all_of(clients.begin(), clients.end(),
                       [](auto& c) { return c.first->ended || c.first->broken; });
  });
  INFO("seed " << seed << " " << h.broken_promise);
  REQUIRE(over);
  REQUIRE(h.close_all());
  REQUIRE(h.is_balanced());

  Story story;
  for (auto& [far, bytes] : clients) {
    REQUIRE(bytes.compare(0, far->received.size(), far->received) == 0);
    if (!far->broken) REQUIRE(far->received.size() == bytes.size());
    far->broken ? ++story.broken : ++story.whole;
    story.told += fmt::format("{}{} ", far->received.size(), far->broken ? "!" : "");
  }
  story.told += fmt::format("{} {}", h.transport().now().monotonic.ns,
                            h.transport().counters().receives.read());
  return story;
}

TEST_CASE("Echoes come back whole under every seed, short reads and all", "[sim]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CHECK(run(seed, {.window_bytes = 4096, .chunk_bytes_max = 3000}).whole == 6);
  }
}

TEST_CASE("Under resets and want of buffers, what comes back is a prefix", "[sim]") {
  int broken = 0;
  int whole = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Story story = run(seed, {.reset_per_mille = 400, .starve_per_mille = 100});
    broken += story.broken;
    whole += story.whole;
  }
  CHECK(broken > 10);
  CHECK(whole > 30);
}

TEST_CASE("One seed tells one story", "[sim]") {
  const SimOptions options{.reset_per_mille = 300, .starve_per_mille = 50};
  CHECK(run(7, options).told == run(7, options).told);
  CHECK(run(7, options).told != run(8, options).told);
}

}  // namespace
}  // namespace sluice::dataplane
