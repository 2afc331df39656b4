#include "audit/signer_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "audit/seal.h"

namespace sluice::audit {
namespace {

/// Far more than a sync of its file takes; a signer that is stuck must not look well.
constexpr ::timeval patience{60, 0};

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

/// A fresh image of this program: no memory, no environment and no descriptor of ours but
/// the socket and where messages go.
Result<pid_t> spawn(int socket, const SignerSettings& settings) {
  SpawnActions actions;
  const int bad =
      ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0) |
      ::posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0) |
      ::posix_spawn_file_actions_adddup2(actions.get(), socket, signer_socket) |
      ::posix_spawn_file_actions_addclosefrom_np(actions.get(), signer_socket + 1);
  if (bad != 0) return fail("cannot prepare the signer process");
  std::vector<std::string> words = signer_arguments(settings);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::array<char*, 1> environment{nullptr};
  // By its name: an instrumented process is not the file that the kernel runs.
  std::error_code ignored;  // an empty name is an error of the spawn
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  pid_t process = 0;
  const int error = ::posix_spawn(&process, program.c_str(), actions.get(), nullptr,
                                  arguments.data(), environment.data());
  if (error != 0) {
    return fail(fmt::format("cannot start the signer process: {}", std::strerror(error)));
  }
  return process;
}

}  // namespace

Result<std::unique_ptr<ProcessSigner>> ProcessSigner::start(const SignerSettings& settings) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(fmt::format("cannot reach a signer process: {}", std::strerror(errno)));
  }
  const auto process = spawn(ends[1], settings);
  ::close(ends[1]);
  if (process) return attach(ends[0], *process, settings);
  ::close(ends[0]);
  return tl::unexpected(process.error());
}

Result<std::unique_ptr<ProcessSigner>> ProcessSigner::attach(int socket, pid_t process,
                                                             const SignerSettings& settings) {
  std::unique_ptr<ProcessSigner> signer(new ProcessSigner(socket, process));
  signer->state_file_ = settings.state;
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return fail("cannot limit the wait for the signer process");
  }
  if (auto done = signer->receive_greeting(); !done) return tl::unexpected(done.error());
  return signer;
}

ProcessSigner::~ProcessSigner() {
  // One that did not answer may never read that it is to end.
  if (socket_ < 0) ::kill(process_, SIGKILL);
  hang_up();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<void> ProcessSigner::receive_greeting() {
  std::array<std::uint8_t, signer_protocol::message_bytes_max + 1> buffer{};
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    hang_up();
    return fail("the signer process ended, or hung, while it started");
  }
  auto greeting =
      signer_protocol::parse_greeting(ByteView(buffer).first(static_cast<std::size_t>(got)));
  if (!greeting) return tl::unexpected(greeting.error());
  auto verifier = Verifier::parse(greeting->verifier);
  if (!verifier) return tl::unexpected(verifier.error());
  verifier_ = std::move(*verifier);
  derived_ = greeting->keys;
  heads_ = greeting->heads;
  seal_ = std::move(greeting->seal);
  return {};
}

Result<signer_protocol::Answer> ProcessSigner::ask(const signer_protocol::Message& request) {
  const std::lock_guard lock(asking_);
  std::array<std::uint8_t, signer_protocol::message_bytes_max + 1> buffer{};
  ssize_t got = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
  if (got == static_cast<ssize_t>(request.size())) {
    got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  } else {
    got = -1;
  }
  if (got <= 0) {
    hang_up();
    return fail("the signer process does not answer; nothing is signed until a restart");
  }
  return signer_protocol::parse_answer(ByteView(buffer).first(static_cast<std::size_t>(got)));
}

Result<Signature> ProcessSigner::sign(const Extension& next) {
  auto answer = ask(signer_protocol::encode(sealed_, next));
  if (!answer) return tl::unexpected(answer.error());
  heads_ = {next.before, next.now};
  if (!answer->seal.empty()) seal_ = std::move(answer->seal);
  return answer->signature;
}

Result<Signature> ProcessSigner::sign_package(const Hash& manifest) {
  const auto answer = ask(signer_protocol::encode_package(manifest));
  if (!answer) return tl::unexpected(answer.error());
  return answer->signature;
}

void ProcessSigner::note_sealed() {
  if (const auto seal = parse_seal(seal_)) sealed_ = seal->number;
}

/// An answer that comes late would be taken for the next one's.
void ProcessSigner::hang_up() noexcept {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace sluice::audit
