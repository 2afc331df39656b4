// Drives a transport in one of the worlds and keeps what each connection reported.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "worlds.h"

namespace sluice::dataplane {

/// The near end of a connection, as told by completions.
struct Near {
  std::string received;
  std::vector<BufferId> kept;  ///< Buffers, when the harness is told to keep them.
  bool connected = false;
  bool ended = false;
  bool closed = false;
  int error = 0;
  int sent = 0;
  std::size_t spliced = 0;
  Endpoint peer{};
};

template <class World>
class Harness {
 public:
  template <class... More>
  explicit Harness(const WorldOptions& options = {}, More... more) : world(options, more...) {}

  World world;
  std::map<ConnId, Near> near;
  std::vector<ConnId> accepted;
  int woken = 0;
  bool keeps_buffers = false;
  bool receives_at_once = true;
  /// Called for what the harness has noted.
  std::function<void(const Completion&)> then = [](const Completion&) {};
  std::string broken_promise;  ///< The first thing a transport must not do.

  typename World::Transport& transport() { return world.transport(); }

  void turn(Duration wait = milliseconds(2)) {
    std::array<Completion, 32> done{};
    world.pump();
    const std::size_t count = transport().poll(done, wait);
    std::map<ConnId, unsigned> receives;
    in_batch_ = true;
    for (std::size_t i = 0; i < count; ++i) {
      if (done[i].kind == Completion::Kind::received &&
          ++receives[done[i].conn] > receives_per_turn_max) {
        broken_promise = "too many receives in a turn";
      }
      note(done[i]);
      then(done[i]);
    }
    in_batch_ = false;
    closing_.merge(closing_soon_);
    paused_.merge(paused_soon_);
    world.pump();
  }

  /// Turns until the condition holds; false when it takes too long.
  template <class Condition>
  bool until(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit || !broken_promise.empty()) return false;
      turn();
    }
    return broken_promise.empty();
  }
  void turns(int count, Duration wait = milliseconds(2)) {
    for (int i = 0; i < count; ++i) turn(wait);
  }

  /// The far end of a new client, once it was accepted as `id`.
  Far* client(ConnId& id) {
    Far& far = world.open_client();
    const std::size_t before = accepted.size();
    if (!until([&] { return accepted.size() > before; })) throw std::runtime_error("not accepted");
    id = accepted.back();
    return &far;
  }

  void send(ConnId id, std::string_view bytes) {
    const Slice slice{as_bytes(bytes).data(), static_cast<std::uint32_t>(bytes.size())};
    transport().send(id, {&slice, 1});
  }
  void close(ConnId id) {
    (in_batch_ ? closing_soon_ : closing_).insert(id);
    transport().close(id);
  }
  void pause(ConnId id) {
    (in_batch_ ? paused_soon_ : paused_).insert(id);
    transport().pause(id);
  }
  void receive(ConnId id) {
    paused_.erase(id);
    paused_soon_.erase(id);
    transport().receive(id);
  }
  /// Closes what is open and waits until nothing is.
  bool close_all() {
    for (const auto& [id, state] : near) {
      if (!state.closed) close(id);
    }
    return until([&] { return transport().connections_open() == 0; });
  }
  /// Every hold was given back.
  bool is_balanced() {
    return transport().pool().free_count() + transport().buffers_lent() ==
           transport().pool().size();
  }

 private:
  void note(const Completion& c) {
    if (c.kind == Completion::Kind::woken) {
      ++woken;
      return;
    }
    if (near[c.conn].closed) broken_promise = "a completion after closed";
    if (closing_.count(c.conn) != 0 && c.kind != Completion::Kind::closed) {
      broken_promise = "something else than closed after close";
    }
    Near& state = near[c.conn];
    switch (c.kind) {
      case Completion::Kind::accepted:
        accepted.push_back(c.conn);
        state.connected = true;
        state.peer = c.peer;
        if (c.listener != 7) broken_promise = "the wrong listener";
        if (receives_at_once) transport().receive(c.conn);
        break;
      case Completion::Kind::connected:
        state.connected = true;
        break;
      case Completion::Kind::received:
        note_received(state, c);
        break;
      case Completion::Kind::peer_closed:
        if (state.ended) broken_promise = "two ends";
        state.ended = true;
        break;
      case Completion::Kind::sent:
        ++state.sent;
        break;
      case Completion::Kind::spliced:
        if (c.size_bytes == 0) broken_promise = "a splice of nothing";
        state.spliced += c.size_bytes;
        break;
      case Completion::Kind::failed:
        if (state.error != 0) broken_promise = "two failures";
        state.error = c.error;
        break;
      case Completion::Kind::closed:
        state.closed = true;
        break;
      case Completion::Kind::secured:
      case Completion::Kind::record:
      case Completion::Kind::woken:
        break;
    }
  }

  void note_received(Near& state, const Completion& c) {
    if (state.ended) broken_promise = "bytes after the end";
    if (paused_.count(c.conn) != 0) broken_promise = "bytes after a pause";
    if (c.size_bytes == 0 || c.size_bytes > buffer_data_bytes_max) broken_promise = "a bad size";
    const auto* const data = reinterpret_cast<const char*>(transport().pool().data(c.buffer));
    state.received.append(data, c.size_bytes);
    if (keeps_buffers) {
      state.kept.push_back(c.buffer);
    } else {
      transport().pool().release(c.buffer);
    }
  }

  // What a batch had reported before a call inside it still counts.
  bool in_batch_ = false;
  std::set<ConnId> closing_;
  std::set<ConnId> closing_soon_;
  std::set<ConnId> paused_;
  std::set<ConnId> paused_soon_;
};

/// Bytes that differ everywhere, so that a lost or swapped piece shows.
inline std::string pattern(std::size_t size, std::uint64_t seed = 1) {
  SimRandom random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

}  // namespace sluice::dataplane
