#include "saml/reader_client.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>

#include "saml/message.h"
#include "saml/reader_process.h"

namespace sluice::saml {
namespace {

using Clock = std::chrono::steady_clock;

/// More than twice what it may have of the processor.
constexpr auto patience = std::chrono::seconds(5);

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  [[nodiscard]] ::posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  ::posix_spawn_file_actions_t actions_{};
};

/// A fresh image of this program: no memory, no environment and no descriptor of ours but the
/// socket.
std::optional<pid_t> spawn(int socket) {
  SpawnActions actions;
  int bad = ::posix_spawn_file_actions_adddup2(actions.get(), socket, reader_socket);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    bad |= ::posix_spawn_file_actions_addopen(actions.get(), standard, "/dev/null", O_RDWR, 0);
  }
  bad |= ::posix_spawn_file_actions_addclosefrom_np(actions.get(), reader_socket + 1);
  if (bad != 0) return std::nullopt;
  std::string name = reader_process_name;
  const std::array<char*, 2> arguments{name.data(), nullptr};
  const std::array<char*, 1> environment{nullptr};
  pid_t process = 0;
  // The file that runs, also when another version was installed in its place since.
  const int error = ::posix_spawn(&process, "/proc/self/exe", actions.get(), nullptr,
                                  arguments.data(), environment.data());
  if (error != 0) return std::nullopt;
  return process;
}

/// Waits until the socket is ready for `event`; false when the time is over.
bool wait(int socket, short event, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    ::pollfd waiting{socket, event, 0};
    const int ready =
        ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool send(int socket, std::string_view message, Clock::time_point until) {
  while (!message.empty()) {
    if (!wait(socket, POLLOUT, until)) return false;
    const ssize_t sent =
        ::send(socket, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) message.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ::shutdown(socket, SHUT_WR) == 0;
}

/// All until the end; nothing when there is none, or too much.
std::string receive(int socket, Clock::time_point until) {
  std::string message;
  std::array<char, 16 << 10> part{};
  while (wait(socket, POLLIN, until)) {
    const ssize_t got = ::recv(socket, part.data(), part.size(), MSG_DONTWAIT);
    if (got == 0) return message;
    if (got < 0 && errno != EAGAIN && errno != EINTR) break;
    if (got > 0) message.append(part.data(), static_cast<std::size_t>(got));
    if (message.size() > message_bytes_max) break;
  }
  return {};
}

}  // namespace

std::string converse(int socket, std::string_view message) {
  const Clock::time_point until = Clock::now() + patience;
  if (message.size() > message_bytes_max || !send(socket, message, until)) return {};
  return receive(socket, until);
}

std::string ask_reader(std::string_view message) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
  const auto process = spawn(ends[1]);
  ::close(ends[1]);
  std::string answer;
  if (process) answer = converse(ends[0], message);
  ::close(ends[0]);
  if (process) {
    // One that has answered is ending; one that has not must not go on.
    ::kill(*process, SIGKILL);
    while (::waitpid(*process, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return answer;
}

}  // namespace sluice::saml
