// Gateways killed with SIGKILL at random moments, one after another on the same
// directory: whatever an append returned for is in the log, once.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

struct Report {
  std::uint32_t worker = 0;
  std::uint64_t operation = 0;
};

/// (child, worker, operation)
using Append = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;

/// Appends at full speed and reports each append after it returned. Never ends.
[[noreturn]] void run_child(const LogFolder& folder, std::uint64_t child, int report_fd) {
  auto log = folder.try_open();
  if (!log) {
    std::fprintf(stderr, "child: %s\n", log.error().message.c_str());
    ::_exit(3);
  }
  const auto work = [&](std::uint32_t worker) {
    WorkerLog& end = (*log)->worker(worker);
    for (std::uint64_t operation = 1;;) {
      Record record = sample_intent(operation);
      record.session = child;
      if (!end.append_single(record)) continue;
      const Report report{worker, operation};
      if (::write(report_fd, &report, sizeof report) != sizeof report) ::_exit(4);
      ++operation;
    }
  };
  std::thread second(work, 1);
  work(0);
  std::abort();
}

/// Reads the child's reports until it is killed and the pipe is empty. Its life is
/// counted from its first report, or from its birth to hit start-up itself.
void collect(int fd, pid_t child, std::chrono::microseconds life, bool from_birth,
             std::uint64_t number, std::set<Append>& reported) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point end = from_birth ? Clock::now() + life : Clock::time_point::max();
  bool is_killed = false;
  for (;;) {
    if (!is_killed && Clock::now() >= end) {
      ::kill(child, SIGKILL);
      is_killed = true;
    }
    ::pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, is_killed ? 5'000 : 1) == 0 && !is_killed) continue;
    std::array<Report, 256> reports{};
    const ssize_t got = ::read(fd, reports.data(), sizeof reports);
    if (got <= 0) break;
    if (end == Clock::time_point::max()) end = Clock::now() + life;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got) / sizeof(Report); ++i) {
      reported.insert({number, reports[i].worker, reports[i].operation});
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

std::uint64_t number_in(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\":");
  return at == std::string::npos ? 0
                                 : std::strtoull(json.c_str() + at + name.size() + 3, nullptr, 10);
}

}  // namespace

TEST_CASE("Two hundred kills in a row lose no record and double none") {
  constexpr int directories = 10;
  constexpr int kills = 20;
  std::mt19937_64 random(42);
  for (int d = 0; d < directories; ++d) {
    LogFolder folder(2);
    folder.options.segment_bytes = std::size_t{64} << (d % 2 == 0 ? 10 : 20);
    std::set<Append> reported;
    for (std::uint64_t child = 1; child <= kills; ++child) {
      std::array<int, 2> ends{};
      REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
      const pid_t pid = ::fork();
      REQUIRE(pid >= 0);
      if (pid == 0) run_child(folder, child, ends[1]);
      ::close(ends[1]);
      const bool from_birth = child % 2 == 0;
      const std::chrono::microseconds life(random() % (from_birth ? 40'000 : 8'000));
      collect(ends[0], pid, life, from_birth, child, reported);
      ::close(ends[0]);
      if (child % 5 == 0) {
        const auto report = folder.verify_with_key();
        INFO(report.fault << " " << report.where);
        CHECK((report.ok || !std::filesystem::exists(folder.options.directory / "checkpoint")));
      }
    }
    { const auto log = folder.open(); }
    const auto report = folder.verify_with_key();
    INFO("directory " << d << ": " << report.fault << " " << report.where);
    CHECK(report.ok);
    CHECK(report.unsigned_tail_records == 0);

    std::map<Append, int> logged;
    for (const auto& json : folder.records()) {
      if (json.find("\"phase\":\"intent\"") == std::string::npos) continue;
      ++logged[{number_in(json, "session"), number_in(json, "worker"),
                number_in(json, "operation")}];
    }
    std::size_t missing = 0;
    for (const auto& append : reported) missing += logged.contains(append) ? 0U : 1U;
    std::size_t doubled = 0;
    for (const auto& [append, times] : logged) doubled += times > 1 ? 1U : 0U;
    CHECK(reported.size() > 100);
    CHECK(missing == 0);
    CHECK(doubled == 0);
  }
}

}  // namespace sluice::audit
