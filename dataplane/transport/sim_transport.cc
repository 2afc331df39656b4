#include "dataplane/transport/sim_transport.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace sluice::dataplane {
namespace {

constexpr std::uint32_t none = 0xFFFFFFFF;
/// The wall clock of every simulation starts here: 2026-01-01T00:00:00Z.
constexpr std::int64_t wall_epoch_ns = 1'767'225'600'000'000'000;
/// A poll gathers what happens this shortly after its first event.
constexpr std::uint64_t batch_ns_max = 100'000;

/// FNV-1a over the bytes as they are now: finds a slice touched too early.
std::uint64_t checksum_of(std::span<const Slice> slices) noexcept {
  std::uint64_t sum = 0xCBF29CE484222325;
  for (const Slice& slice : slices) {
    for (const std::uint8_t byte : ByteView{slice.data, slice.size_bytes}) {
      sum = (sum ^ byte) * 0x100000001B3;
    }
  }
  return sum;
}

Endpoint client_address(std::uint64_t number) {
  Endpoint endpoint{};
  endpoint.v4.sin_family = AF_INET;
  endpoint.v4.sin_addr.s_addr = htonl(0x7F000001U + static_cast<std::uint32_t>(number >> 8));
  endpoint.v4.sin_port = htons(static_cast<std::uint16_t>(40000 + (number & 0xFF)));
  endpoint.size_bytes = sizeof endpoint.v4;
  return endpoint;
}

BufferPool pool_of(std::size_t bytes) {
  auto pool = BufferPool::make(bytes);
  ASSERT(pool.has_value());
  return *std::move(pool);
}

}  // namespace

static_assert(Transport<SimTransport>);

SimTransport::SimTransport(const SimOptions& options)
    : options_(options),
      random_(options.seed),
      pool_(pool_of(options.buffer_bytes)),
      connections_(options.connections_max),
      splices_free_(options.splices_max) {
  for (std::uint32_t i = options.connections_max; i-- > 0;) free_.push_back(i);
}

void SimTransport::serve(const Endpoint& endpoint, Server server) {
  servers_[text(endpoint)] = std::move(server);
}

void SimTransport::swallow(const Endpoint& endpoint) {
  swallowed_[text(endpoint)] = true;
}

void SimTransport::bring_client(std::uint16_t listener, SimPeer& peer, Duration delay) {
  SimWire& wire = add_wire();
  wire.attach(peer);
  const Duration arrival{delay.ns + some_delay().ns};
  schedule(wire, SimStep::arrive, &arrival, listener);
}

ConnId SimTransport::connect(const Endpoint& peer) {
  if (free_.empty()) return {};
  const std::uint32_t index = claim();
  counters_.connects.add();
  Connection& connection = connections_[index];
  connection.peer = peer;
  connection.wire = &add_wire();
  connection.wire->connection = index;
  if (!swallowed_.contains(text(peer))) schedule(*connection.wire, SimStep::connect, nullptr);
  return {index, connection.generation};
}

void SimTransport::receive(ConnId id) {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return;
  connection->wants_receive = true;
  schedule(*connection->wire, SimStep::read, nullptr);
}

void SimTransport::pause(ConnId id) {
  if (Connection* const connection = find(id)) connection->wants_receive = false;
}

void SimTransport::send(ConnId id, std::span<const Slice> slices) {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed) return;
  ASSERT(connection->connected);
  ASSERT(!slices.empty() && slices.size() <= slices_per_send_max);
  ASSERT(connection->slices.empty());
  ASSERT(!connection->wants_shutdown && connection->splice_sink != id.index);
  connection->slices.assign(slices.begin(), slices.end());
  connection->sent_bytes = 0;
  connection->total_bytes = 0;
  for (const Slice& slice : slices) connection->total_bytes += slice.size_bytes;
  connection->checksum = checksum_of(slices);
  schedule(*connection->wire, SimStep::write, nullptr);
}

void SimTransport::shutdown(ConnId id) {
  Connection* const connection = find(id);
  if (connection == nullptr || connection->failed || connection->wants_shutdown) return;
  connection->wants_shutdown = true;
  if (connection->slices.empty()) connection->wire->write_end();
}

void SimTransport::close(ConnId id) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->closing = true;
  end_splice(*connection);
  schedule(*connection->wire, SimStep::closed, nullptr);
}

void SimTransport::splice(ConnId from, ConnId to, std::uint64_t size_bytes) {
  Connection* const source = find(from);
  Connection* const sink = find(to);
  if (source == nullptr || source->failed || source->ended) return;
  if (sink == nullptr || sink->failed || size_bytes == 0) return;
  ASSERT(sink->connected && sink->slices.empty() && !sink->wants_shutdown);
  for (const Connection* end : {source, sink}) {
    if (end->splice_source != none) return;
  }
  if (splices_free_ == 0 || random_.chance(options_.splice_decline_per_mille)) return;
  --splices_free_;
  source->splice_source = sink->splice_source = from.index;
  source->splice_sink = sink->splice_sink = to.index;
  source->splice_left = size_bytes;
  schedule(*source->wire, SimStep::read, nullptr);
}

std::size_t SimTransport::poll(std::span<Completion> done, Duration wait) {
  counters_.turns.add();
  now_ = now_ + options_.turn_cost;
  free_.insert(free_.end(), freed_.begin(), freed_.end());
  freed_.clear();
  feed_starved();
  std::size_t count = 0;
  Instant until = now_ + Duration{std::max<std::int64_t>(wait.ns, 0)};
  if (!done.empty() && waker_.take()) {
    done[count++] = {};
    until = now_;
  }
  while (count < done.size() && !events_.empty() && events_.top().at <= until) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    if (!run(event, done[count])) continue;
    if (count++ == 0) {
      const Duration batch{static_cast<std::int64_t>(random_.up_to(batch_ns_max))};
      until = std::min(until, now_ + batch);
    }
  }
  if (count == 0) now_ = std::max(now_, until);
  return count;
}

Now SimTransport::now() const noexcept {
  return {.monotonic = now_, .wall = {wall_epoch_ns + now_.ns}};
}

std::uint32_t SimTransport::connections_open() const noexcept {
  return options_.connections_max - static_cast<std::uint32_t>(free_.size() + freed_.size());
}

SimTransport::Connection* SimTransport::find(ConnId id) {
  if (id.index >= connections_.size()) return nullptr;
  Connection& connection = connections_[id.index];
  const bool alive =
      connection.in_use && connection.generation == id.generation && !connection.closing;
  return alive ? &connection : nullptr;
}

/// The gateway's end, unless it is gone.
SimTransport::Connection* SimTransport::owner_of(const SimWire& wire) {
  return wire.connection == none ? nullptr : &connections_[wire.connection];
}

std::uint32_t SimTransport::claim() {
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Connection fresh;
  fresh.generation = connections_[index].generation;
  fresh.in_use = true;
  connections_[index] = std::move(fresh);
  return index;
}

SimWire& SimTransport::add_wire() {
  wires_.push_back(std::make_unique<SimWire>(
      options_.window_bytes, &now_, [this](SimWire& wire, SimStep step, const Duration* exactly) {
        schedule(wire, step, exactly);
      }));
  SimWire& wire = *wires_.back();
  if (random_.chance(options_.reset_per_mille)) {
    const Duration life{static_cast<std::int64_t>(
        random_.up_to(static_cast<std::uint64_t>(options_.delay_max.ns) * 50))};
    schedule(wire, SimStep::breaks, &life);
  }
  return wire;
}

void SimTransport::schedule(SimWire& wire, SimStep step, const Duration* exactly,
                            std::uint16_t listener) {
  bool& pending = wire.pending[static_cast<std::size_t>(step)];
  if (pending && step != SimStep::alarm) return;
  pending = true;
  const Duration delay = exactly != nullptr ? *exactly : some_delay();
  events_.push({now_ + delay, events_made_++, &wire, step, listener});
}

/// Mostly short, sometimes long: bursts and stragglers both occur. Never zero,
/// so that time goes on whatever asks for a step again.
Duration SimTransport::some_delay() {
  constexpr std::int64_t shortest_ns = 1'000;
  const auto longest = static_cast<std::uint64_t>(std::max<std::int64_t>(options_.delay_max.ns, 0));
  const auto more = random_.up_to(random_.chance(700) ? longest / 16 : longest);
  return {shortest_ns + static_cast<std::int64_t>(more)};
}

std::size_t SimTransport::some_chunk() {
  const std::size_t longest = std::max<std::size_t>(options_.chunk_bytes_max, 1);
  if (random_.chance(500)) return longest;
  return 1 +
         random_.up_to(random_.chance(500) ? std::min<std::size_t>(longest, 64) - 1 : longest - 1);
}

void SimTransport::feed_starved() {
  if (pool_.free_count() == 0) return;
  for (const std::uint32_t index : std::exchange(starved_, {})) {
    Connection& connection = connections_[index];
    connection.starved = false;
    if (connection.in_use) schedule(*connection.wire, SimStep::read, nullptr);
  }
}

bool SimTransport::run(const Event& event, Completion& out) {
  SimWire& wire = *event.wire;
  wire.pending[static_cast<std::size_t>(event.step)] = false;
  switch (event.step) {
    case SimStep::arrive:
      return on_arrive(wire, event.listener, out);
    case SimStep::connect:
      return on_connect(wire, out);
    case SimStep::read:
      return on_read(wire, out);
    case SimStep::write:
      return on_write(wire, out);
    case SimStep::closed:
      return on_closed(wire, out);
    case SimStep::inbound:
      wire.step_inbound(some_chunk());
      return false;
    case SimStep::outbound:
      wire.step_outbound(some_chunk());
      return false;
    case SimStep::alarm:
      wire.step_alarm();
      return false;
    case SimStep::breaks:
      wire.break_off();
      return false;
  }
  return false;
}

bool SimTransport::on_arrive(SimWire& wire, std::uint16_t listener, Completion& out) {
  if (!accepting_ || wire.is_reset()) {
    wire.break_off();
    return false;
  }
  if (free_.empty()) {
    counters_.refused.add();
    wire.opened();
    wire.gateway_closed();
    return false;
  }
  wire.connection = claim();
  Connection& connection = connections_[wire.connection];
  connection.wire = &wire;
  connection.connected = true;
  connection.peer = client_address(counters_.accepted.read());
  counters_.accepted.add();
  out = report(Completion::Kind::accepted, connection);
  out.listener = listener;
  out.peer = connection.peer;
  wire.opened();
  return true;
}

bool SimTransport::on_connect(SimWire& wire, Completion& out) {
  Connection* const connection = owner_of(wire);
  if (connection == nullptr || connection->closing) return false;
  const auto server = servers_.find(text(connection->peer));
  const bool refused = server == servers_.end() || random_.chance(options_.refuse_per_mille);
  SimPeer* const peer = refused || wire.is_reset() ? nullptr : server->second();
  if (peer == nullptr) return fail(*connection, ECONNREFUSED, out);
  wire.attach(*peer);
  connection->connected = true;
  out = report(Completion::Kind::connected, *connection);
  wire.opened();
  return true;
}

bool SimTransport::on_read(SimWire& wire, Completion& out) {
  Connection* const connection = owner_of(wire);
  if (connection == nullptr || connection->closing || connection->failed) return false;
  if (!connection->wants_receive || !connection->connected || connection->ended) return false;
  if (connection->splice_source == wire.connection && fill_splice(*connection)) return false;
  if (wire.readable().empty()) {
    if (wire.is_reset()) return fail(*connection, ECONNRESET, out);
    if (!wire.at_end()) return false;
    end_splice(*connection);
    connection->ended = true;
    out = report(Completion::Kind::peer_closed, *connection);
    return true;
  }
  schedule(wire, SimStep::read, nullptr);  // for what this one leaves
  if (std::exchange(connection->turn, counters_.turns.read()) != counters_.turns.read()) {
    connection->turn_receives = 0;
  }
  if (connection->starved || connection->turn_receives == receives_per_turn_max) return false;
  const BufferId buffer =
      random_.chance(options_.starve_per_mille) ? no_buffer : pool_.take_to_receive();
  if (buffer == no_buffer) {
    connection->starved = true;
    counters_.starvations.add();
    starved_.push_back(wire.connection);
    return false;
  }
  ++connection->turn_receives;
  if (connection->splice_source == wire.connection) end_splice(*connection);
  const std::size_t count = std::min({some_chunk(), wire.readable().size(), buffer_data_bytes_max});
  std::memcpy(pool_.data(buffer), wire.readable().front(count).data(), count);
  wire.consume(count);
  out = report(Completion::Kind::received, *connection);
  out.buffer = buffer;
  out.size_bytes = static_cast<std::uint32_t>(count);
  counters_.receives.add();
  counters_.received_bytes.add(count);
  return true;
}

bool SimTransport::on_write(SimWire& wire, Completion& out) {
  Connection* const connection = owner_of(wire);
  if (connection == nullptr || connection->closing || connection->failed) return false;
  const bool is_sink = connection->splice_sink == wire.connection;
  if (is_sink && !connections_[connection->splice_source].splice_held.empty()) {
    return drain_splice(wire, out);
  }
  if (connection->slices.empty()) return false;
  if (wire.is_reset()) return fail(*connection, EPIPE, out);

  // One chunk of the slice that the send has come to.
  std::size_t before = connection->sent_bytes;
  std::size_t i = 0;
  while (i < connection->slices.size() && before >= connection->slices[i].size_bytes) {
    before -= connection->slices[i++].size_bytes;
  }
  if (i < connection->slices.size()) {
    const Slice& slice = connection->slices[i];
    const std::size_t count =
        std::min({some_chunk(), wire.writable_bytes(), slice.size_bytes - before});
    if (count == 0) return false;  // the window is full; a reading peer brings us back
    wire.write({slice.data + before, count});
    connection->sent_bytes += count;
  }
  if (connection->sent_bytes < connection->total_bytes) {
    counters_.partial_sends.add();
    schedule(wire, SimStep::write, nullptr);
    return false;
  }
  ASSERT(checksum_of(connection->slices) == connection->checksum);
  connection->slices.clear();
  if (connection->wants_shutdown) wire.write_end();
  out = report(Completion::Kind::sent, *connection);
  out.size_bytes = static_cast<std::uint32_t>(connection->total_bytes);
  counters_.sends.add();
  counters_.sent_bytes.add(connection->total_bytes);
  return true;
}

/// False when there is nothing to take: the end, or bytes that are received instead.
bool SimTransport::fill_splice(Connection& source) {
  SimWire& wire = *source.wire;
  if (!source.splice_held.empty()) return true;  // once it is given on, this is called again
  if (wire.readable().empty()) return false;
  if (!source.splice_begun && random_.chance(options_.splice_decline_per_mille)) return false;
  source.splice_begun = true;
  const std::size_t count =
      std::min<std::uint64_t>(std::min(some_chunk(), wire.readable().size()), source.splice_left);
  source.splice_held.push(wire.readable().front(count));
  source.splice_left -= count;
  wire.consume(count);
  schedule(*connections_[source.splice_sink].wire, SimStep::write, nullptr);
  return true;
}

bool SimTransport::drain_splice(SimWire& sink_wire, Completion& out) {
  Connection& sink = connections_[sink_wire.connection];
  Connection& source = connections_[sink.splice_source];
  if (sink_wire.is_reset()) return fail(sink, EPIPE, out);
  const std::size_t count =
      std::min({some_chunk(), sink_wire.writable_bytes(), source.splice_held.size()});
  if (count == 0) return false;  // the window is full; a reading peer brings us back
  sink_wire.write(source.splice_held.front(count));
  source.splice_held.pop(count);
  out = report(Completion::Kind::spliced, source);
  out.size_bytes = static_cast<std::uint32_t>(count);
  counters_.spliced_bytes.add(count);
  if (!source.splice_held.empty()) {
    schedule(sink_wire, SimStep::write, nullptr);
    return true;
  }
  schedule(*source.wire, SimStep::read, nullptr);
  if (source.splice_left == 0) end_splice(source);
  return true;
}

/// What it holds is lost.
void SimTransport::end_splice(Connection& end) {
  if (end.splice_source == none) return;
  Connection& source = connections_[end.splice_source];
  Connection& sink = connections_[end.splice_sink];
  source.splice_source = source.splice_sink = sink.splice_source = sink.splice_sink = none;
  source.splice_begun = false;
  source.splice_held.clear();
  ++splices_free_;
  if (source.in_use && !source.closing) schedule(*source.wire, SimStep::read, nullptr);
}

bool SimTransport::on_closed(SimWire& wire, Completion& out) {
  Connection* const connection = owner_of(wire);
  ASSERT(connection != nullptr && connection->closing);
  // Slices are the network's until now, also those of a send that will never end.
  ASSERT(checksum_of(connection->slices) == connection->checksum || connection->slices.empty());
  out = report(Completion::Kind::closed, *connection);
  connection->in_use = false;
  connection->wire = nullptr;
  connection->slices.clear();
  ++connection->generation;
  freed_.push_back(wire.connection);
  wire.gateway_closed();
  return true;
}

bool SimTransport::fail(Connection& connection, int error, Completion& out) {
  connection.failed = true;
  connection.wants_receive = false;
  end_splice(connection);
  out = report(Completion::Kind::failed, connection);
  out.error = error;
  return true;
}

Completion SimTransport::report(Completion::Kind kind, const Connection& connection) const {
  Completion completion{};
  completion.kind = kind;
  completion.conn = {static_cast<std::uint32_t>(&connection - connections_.data()),
                     connection.generation};
  return completion;
}

}  // namespace sluice::dataplane
