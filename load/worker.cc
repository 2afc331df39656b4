// The run of one worker: its clock, its seconds, what is due. What happens on a
// connection is in connections.cc.
#include "load/worker.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::load {
namespace {

using dataplane::Completion;

constexpr std::size_t batch = 256;
constexpr std::size_t buffer_bytes = std::size_t{32} << 20;
/// Load begins when every connection stands or failed once, or after this.
constexpr Duration connect_wait_max = seconds(1);
constexpr Duration give_up_after = seconds(5);
/// How long an open loop waits for answers after its last request was due.
constexpr Duration grace = seconds(2);
constexpr Duration second = seconds(1);

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
  std::uint64_t left = requests.load(std::memory_order_relaxed);
  if (left == UINT64_MAX) return true;
  while (left != 0) {
    if (requests.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

Worker::Worker(std::unique_ptr<dataplane::UringTransport> transport, Share share, Shared& shared)
    : transport_(std::move(transport)),
      share_(std::move(share)),
      shared_(shared),
      connections_(share_.connections),
      slots_(transport_->connections_max(), UINT32_MAX),
      idle_(share_.connections),
      unfinished_(share_.connections) {}

Result<std::unique_ptr<Worker>> Worker::make(Share share, const DriverFactory& drivers,
                                             Shared& shared) {
  // Closed connections linger in the transport until the kernel let go of them,
  // while their successors are being made.
  auto transport = dataplane::UringTransport::make(
      {.connections_max = share.connections * 2 + 16, .buffer_bytes = buffer_bytes});
  if (!transport) return tl::unexpected(transport.error());
  auto worker =
      std::unique_ptr<Worker>(new Worker(std::move(*transport), std::move(share), shared));
  std::uint64_t number = worker->share_.number;
  for (auto& connection : worker->connections_) {
    connection.driver = drivers.make_driver(number);
    number += worker->share_.workers;
  }
  worker->figures_.failed_checks.resize(drivers.check_names().size());
  return worker;
}

void Worker::run() {
  connect_all();
  shared_.all_connected.arrive_and_wait();
  turn(Duration{0});  // sets the clock
  begin();
  const Duration cpu_before = thread_cpu();
  while (!is_done() && !gives_up()) {
    turn(wait());
    end_seconds(now());
  }
  elapsed_ = std::max(now() - counting_from_, Duration{0});
  cpu_ = {thread_cpu().ns - cpu_before.ns};
  count_unanswered();
  hand_in_second();
  shared_.timeline.leave(share_.number);
}

/// Load begins with all connections in place: the first requests would otherwise
/// wait for theirs, and show it.
void Worker::connect_all() {
  turn(Duration{0});
  const Instant began = now();
  alone_since_ = began;
  unsettled_ = share_.connections;
  for (auto& connection : connections_) open(connection);
  while (unsettled_ != 0 && now() - began < connect_wait_max) turn(milliseconds(100));
}

void Worker::begin() {
  began_ = true;
  counting_from_ = now() + share_.warmup;
  ends_at_ = counting_from_ + share_.duration;
  // Whole seconds lead up to the moment that counting begins.
  const std::int64_t part = share_.warmup.ns % second.ns;
  second_ends_at_ = now() + (part == 0 ? second : Duration{part});
  tick_.clear();
  tick_.second = -((share_.warmup.ns + second.ns - 1) / second.ns);
  for (auto& connection : connections_) {
    if (connection.connected && !connection.closing) go_on(connection);
  }
  send_due(now());
}

void Worker::turn(Duration wait_max) {
  std::array<Completion, batch> done;
  const std::size_t count = transport_->poll(done, wait_max);
  for (const auto& completion : std::span(done).first(count)) on(completion);
  ring_alarms(now());
  if (began_) send_due(now());
}

bool Worker::is_done() const noexcept {
  if (unfinished_ == 0) return true;
  if (share_.duration.ns == 0) return false;
  if (!share_.is_open_loop) return now() >= ends_at_;
  return (share_.schedule.is_over() && awaiting_ == 0 && now() >= ends_at_) ||
         now() >= ends_at_ + grace;
}

/// Nobody is there. A run of a given time goes on when somebody was: a restart of
/// the peer is for the run to show.
bool Worker::gives_up() const noexcept {
  if (connected_ != 0 || (ever_connected_ && share_.duration.ns != 0)) return false;
  return now() - alone_since_ >= give_up_after;
}

/// Until something is to be done that no completion announces.
Duration Worker::wait() const noexcept {
  Instant until = second_ends_at_;
  if (share_.duration.ns != 0 && now() < ends_at_) until = std::min(until, ends_at_);
  if (!alarms_.empty()) until = std::min(until, alarms_.front().at);
  if (share_.is_open_loop && !idle_.empty() && !share_.schedule.is_over()) {
    until = std::min(until, counting_from_ + Duration{-share_.warmup.ns} + share_.schedule.due());
  }
  return std::max(until - now(), Duration{0});
}

void Worker::end_seconds(Instant now) {
  while (now >= second_ends_at_) {
    hand_in_second();
    ++tick_.second;
    second_ends_at_ = second_ends_at_ + second;
    if (tick_.second == 0) figures_.clear();
  }
}

void Worker::hand_in_second() {
  shared_.timeline.add(share_.number, tick_);
  tick_.clear();
}

/// Sends what is due while connections are free. What is due and not sent stays
/// where it is: in the part of the schedule that lies in the past.
void Worker::send_due(Instant now) {
  if (!share_.is_open_loop) return;
  Schedule& schedule = share_.schedule;
  const Instant zero = counting_from_ + Duration{-share_.warmup.ns};
  while (!schedule.is_over() && !idle_.empty()) {
    const Instant due = zero + schedule.due();
    if (due > now) break;
    Connection& connection = connections_[idle_.take()];
    if (!connection.connected || connection.closing || connection.awaiting) continue;
    (all_busy_ ? figures_.queueing : figures_.lateness).record(now - due);
    schedule.advance();
    send(connection, due);
  }
  all_busy_ = idle_.empty();
}

void Worker::ring_alarms(Instant now) {
  while (!alarms_.empty() && alarms_.front().at <= now) {
    Connection& connection = connections_[alarms_.front().connection];
    std::pop_heap(alarms_.begin(), alarms_.end());
    alarms_.pop_back();
    // An alarm whose connection was closed in between is late, which is no error.
    if (!connection.waiting || connection.alarm_at > now) continue;
    connection.waiting = false;
    connection.connected ? ask(connection) : open(connection);
  }
}

/// A closed loop's end cuts answers off that were on their way, which is no
/// failure; how long the slowest was away shows one.
void Worker::count_unanswered() {
  Schedule& schedule = share_.schedule;
  figures_.unanswered = awaiting_ + schedule.left();
  const auto waited_since = [this](Instant since) {
    figures_.unanswered_wait_max = std::max(figures_.unanswered_wait_max, now() - since);
  };
  for (const auto& connection : connections_) {
    if (connection.awaiting) waited_since(connection.since);
  }
  if (!schedule.is_over()) {
    waited_since(counting_from_ + Duration{-share_.warmup.ns} + schedule.due());
  }
}

}  // namespace sluice::load
