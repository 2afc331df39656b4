#include "load/worker.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>

namespace sluice::load {
namespace {

using dataplane::Completion;
using dataplane::ConnId;

constexpr std::size_t batch = 256;
constexpr std::size_t buffer_bytes = std::size_t{32} << 20;
/// A peer that refuses connections is asked again, but not in a tight loop.
constexpr Duration retry_after = milliseconds(20);
constexpr Duration give_up_after = seconds(5);
constexpr Duration wait_max = milliseconds(100);
constexpr std::uint32_t no_slot = UINT32_MAX;

Duration thread_cpu() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto ns = [](const timeval& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_usec * 1'000;
  };
  return {ns(usage.ru_utime) + ns(usage.ru_stime)};
}

}  // namespace

bool Quota::take() noexcept {
  if (duration.ns != 0) return true;
  std::uint64_t left = requests.load(std::memory_order_relaxed);
  while (left != 0) {
    if (requests.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

Worker::Worker(std::unique_ptr<dataplane::UringTransport> transport,
               const dataplane::Endpoint& peer, Quota& quota)
    : transport_(std::move(transport)), peer_(peer), quota_(quota) {}

Result<std::unique_ptr<Worker>> Worker::make(const dataplane::Endpoint& peer,
                                             std::uint32_t connections,
                                             const DriverFactory& drivers, Quota& quota) {
  // Closed connections linger in the transport until the kernel let go of them,
  // while their successors are being made.
  auto transport = dataplane::UringTransport::make(
      {.connections_max = connections * 2 + 16, .buffer_bytes = buffer_bytes});
  if (!transport) return tl::unexpected(transport.error());
  auto worker = std::unique_ptr<Worker>(new Worker(std::move(*transport), peer, quota));
  worker->connections_.resize(connections);
  for (auto& connection : worker->connections_) connection.driver = drivers.make();
  worker->slots_.assign(worker->transport_->connections_max(), no_slot);
  worker->unfinished_ = connections;
  return worker;
}

void Worker::run() {
  std::array<Completion, batch> done;
  const Duration cpu_before = thread_cpu();
  static_cast<void>(transport_->poll(done, Duration{0}));  // sets the clock
  const Instant began = transport_->now().monotonic;
  for (auto& connection : connections_) open(connection);

  while (unfinished_ != 0) {
    const std::size_t count = transport_->poll(done, waiting_ != 0 ? retry_after : wait_max);
    const Instant now = transport_->now().monotonic;
    for (const auto& completion : std::span(done).first(count)) on(completion);
    if (quota_.duration.ns != 0 && now - began >= quota_.duration) break;
    if (report_.connects == 0 && now - began >= give_up_after) break;
    if (waiting_ != 0) retry(now);
  }
  report_.elapsed = transport_->now().monotonic - began;
  report_.cpu = {thread_cpu().ns - cpu_before.ns};
}

void Worker::on(const Completion& done) {
  Connection* const connection = find(done.conn);
  if (connection == nullptr) {
    if (done.buffer != dataplane::no_buffer) transport_->pool().release(done.buffer);
    return;
  }
  switch (done.kind) {
    case Completion::Kind::connected:
      ++report_.connects;
      connection->driver->start();
      transport_->receive(connection->id);
      ask(*connection);
      break;
    case Completion::Kind::received:
      on_received(*connection, done);
      break;
    case Completion::Kind::sent:
      connection->sending = false;
      // The answer was quicker than the news that its request had been sent.
      if (!connection->awaiting && !connection->closing) ask(*connection);
      break;
    case Completion::Kind::peer_closed:
      if (connection->awaiting) on_answer(*connection, connection->driver->on_close());
      close(*connection);
      break;
    case Completion::Kind::failed:
      on_lost(*connection);
      break;
    case Completion::Kind::closed:
      on_closed(*connection);
      break;
    case Completion::Kind::accepted:
    case Completion::Kind::woken:
      break;
  }
}

void Worker::on_received(Connection& connection, const Completion& done) {
  report_.bytes_received += done.size_bytes;
  const ByteView bytes{transport_->pool().data(done.buffer), done.size_bytes};
  // Bytes that nobody asked for mean that the peer and we no longer agree.
  const Answer answer = connection.awaiting
                            ? connection.driver->on_bytes(bytes)
                            : Answer{.kind = Answer::Kind::broken, .connection_ends = true};
  transport_->pool().release(done.buffer);
  if (!connection.closing) on_answer(connection, answer);
}

void Worker::on_answer(Connection& connection, const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::incomplete:
      return;
    case Answer::Kind::broken:
      ++report_.read_errors;
      connection.awaiting = false;
      close(connection);
      return;
    case Answer::Kind::complete:
      break;
  }
  connection.awaiting = false;
  const Duration latency = transport_->now().monotonic - connection.sent_at;
  report_.latency_ns.record(static_cast<std::uint64_t>(latency.ns));
  ++report_.completed;
  ++report_.statuses[std::min<std::size_t>(answer.status, statuses_max - 1)];
  if (answer.connection_ends) {
    close(connection);
  } else if (!connection.sending) {
    ask(connection);
  }
}

void Worker::on_lost(Connection& connection) {
  if (connection.closing) return;
  if (connection.awaiting) {
    ++report_.read_errors;
    connection.awaiting = false;
  } else {
    ++report_.connect_errors;
  }
  close(connection);
  connection.retry_at = transport_->now().monotonic + retry_after;
}

void Worker::on_closed(Connection& connection) {
  slots_[connection.id.index] = no_slot;
  connection.open = false;
  connection.closing = false;
  connection.sending = false;
  if (connection.finished) {
    --unfinished_;
  } else if (connection.retry_at > transport_->now().monotonic) {
    ++waiting_;
  } else {
    open(connection);
  }
}

void Worker::open(Connection& connection) {
  connection.id = transport_->connect(peer_);
  connection.open = connection.id.index != no_slot;
  if (!connection.open) {
    connection.retry_at = transport_->now().monotonic + retry_after;
    ++waiting_;
    return;
  }
  slots_[connection.id.index] = static_cast<std::uint32_t>(&connection - connections_.data());
}

void Worker::ask(Connection& connection) {
  if (!quota_.take()) {
    connection.finished = true;
    close(connection);
    return;
  }
  const ByteView request = connection.driver->next_request();
  const dataplane::Slice slice{request.data(), static_cast<std::uint32_t>(request.size())};
  connection.sending = true;
  connection.awaiting = true;
  connection.sent_at = transport_->now().monotonic;
  transport_->send(connection.id, {&slice, 1});
}

void Worker::close(Connection& connection) {
  if (connection.closing) return;
  connection.closing = true;
  transport_->close(connection.id);
}

void Worker::retry(Instant now) {
  for (auto& connection : connections_) {
    if (connection.open || connection.finished || connection.retry_at > now) continue;
    --waiting_;
    open(connection);
  }
}

Worker::Connection* Worker::find(ConnId id) noexcept {
  if (id.index >= slots_.size() || slots_[id.index] == no_slot) return nullptr;
  Connection& connection = connections_[slots_[id.index]];
  return connection.id == id ? &connection : nullptr;
}

}  // namespace sluice::load
