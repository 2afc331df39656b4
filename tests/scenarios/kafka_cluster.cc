// Not a test by itself: the Kafka cluster that a scenario's gateway sends to. Prints where its
// brokers are, then each message of the topic "audit" as "PARTITION KEY VALUE". SIGUSR1 takes the
// brokers down, SIGUSR2 brings them back.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <ctime>

#include "mock_kafka.h"

int main() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGUSR1, SIGUSR2, SIGTERM}) sigaddset(&signals, one);
  // Before librdkafka's threads begin, so that they inherit it.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  sluice::exports::MockKafka kafka("audit");
  fmt::print("{}\n", kafka.brokers());
  for (;;) {
    std::fflush(stdout);
    constexpr timespec at_once{};
    const int signal = sigtimedwait(&signals, nullptr, &at_once);
    if (signal == SIGTERM) return 0;
    if (signal > 0) kafka.set_down(signal == SIGUSR1);
    if (const auto message = kafka.next(20)) {
      fmt::print("{} {} {}\n", message->partition, message->key, message->value);
    }
  }
}
