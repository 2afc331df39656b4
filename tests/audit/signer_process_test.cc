// The signer as a process of its own: what it signs, what it survives, what it cannot do,
// and what a log does without it.
#include "audit/signer_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/package_statement.h"
#include "audit/seal.h"
#include "audit/signer_client.h"
#include "audit/signer_sandbox.h"
#include "log_fixture.h"
#include "soft_token.h"

namespace sluice::audit {
namespace {

struct Started {
  std::unique_ptr<ProcessSigner> signer;
  pid_t process = 0;
};

/// A log whose signer is a process. That runs this program's image: what the sandbox
/// leaves to it is the same.
struct SignedFolder : LogFolder {
  SignerSettings settings{options.signing_key, folder.path() / "state", "nobody"};

  [[nodiscard]] Result<Started> try_start() const {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const pid_t process = ::fork();
    REQUIRE(process >= 0);
    if (process == 0) {
      ::close(ends[0]);
      ::_exit(serve_signatures(ends[1], settings));
    }
    ::close(ends[1]);
    auto signer = ProcessSigner::attach(ends[0], process, settings);
    if (!signer) return tl::unexpected(signer.error());
    return Started{std::move(*signer), process};
  }
  [[nodiscard]] Started start() const {
    auto started = try_start();
    INFO((started ? std::string() : started.error().message));
    REQUIRE(started);
    return std::move(*started);
  }
  [[nodiscard]] std::unique_ptr<Log> open_with(LogSigner& signer) {
    options.signer = &signer;
    return open();
  }
};

Extension growth(Tree& tree, int leaves) {
  TreeGrowth grown(tree);
  for (int i = 0; i < leaves; ++i) grown.append(tree, as_bytes("leaf"));
  return {grown.before(), TreeHead::of(tree), grown.proof(tree)};
}

void append_durably(Log& log, int records) {
  for (int i = 0; i < records; ++i) {
    const auto sequence = log.worker(0).append_single(sample_intent());
    REQUIRE(sequence);
    log.worker(0).request_flush();
    while (log.worker(0).durable_through() < *sequence) std::this_thread::yield();
  }
}

void kill_and_wait(pid_t process) {
  ::kill(process, SIGKILL);
  ::siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<::id_t>(process), &info, WEXITED | WNOWAIT) == 0);
}

/// How a child ends that does this in the sandbox.
template <class Action>
int status_in_sandbox(SignerCalls calls, Action&& action) {
  const pid_t process = ::fork();
  if (process == 0) {
    if (!leave_gateway_user("nobody") || !enter_signer_sandbox(calls)) ::_exit(2);
    action();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  return status;
}

bool is_killed_by_filter(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

}  // namespace

TEST_CASE_METHOD(SignedFolder, "The signer process signs what continues, and only that") {
  const Started started = start();
  CHECK(started.signer->verifier().line() == verifier);
  CHECK(started.signer->derived_keys().operations ==
        Signer::load(options.signing_key)->derived_keys().operations);
  Tree tree;
  TreeHead last;
  for (int i = 0; i < 50; ++i) {
    const Extension next = growth(tree, 1 + i % 7);
    const auto note = sign_checkpoint(*started.signer, next);
    REQUIRE(note);
    const auto parsed = parse_checkpoint(*note);
    REQUIRE(parsed);
    CHECK(parsed->check(started.signer->verifier()));
    CHECK(parsed->checkpoint.size == tree.size());
    CHECK(started.signer->heads() == SignedHeads{next.before, next.now});
    last = next.now;
  }
  Tree other;
  const auto refused = started.signer->sign(growth(other, 300));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("does not continue") != std::string::npos);
  CHECK(started.signer->heads().last == last);
  CHECK(started.signer->sign(growth(tree, 1)));
}

TEST_CASE_METHOD(SignedFolder, "Packages are signed beside checkpoints, from whichever thread") {
  const Started started = start();
  const SignedHeads before = started.signer->heads();
  const auto is_signed = [verifier = *Verifier::parse(verifier)](const Hash& manifest,
                                                                 const Signature& signature) {
    return verifier.verify(as_bytes(package_statement(manifest)), signature);
  };
  const Hash manifest = sha256(as_bytes("manifest"));
  const auto signature = started.signer->sign_package(manifest);
  REQUIRE(signature);
  CHECK(is_signed(manifest, *signature));
  CHECK_FALSE(is_signed(sha256(as_bytes("another")), *signature));
  CHECK(started.signer->heads() == before);

  std::atomic<int> wrong = 0;
  std::jthread other([&](const std::stop_token& stop) {
    for (int i = 0; i < 200 && !stop.stop_requested(); ++i) {
      const Hash one = sha256(as_bytes(std::to_string(i)));
      const auto made = started.signer->sign_package(one);
      if (!made || !is_signed(one, *made)) ++wrong;
    }
  });
  Tree tree;
  for (int i = 0; i < 200; ++i) {
    const auto note = sign_checkpoint(*started.signer, growth(tree, 1));
    REQUIRE(note);
    CHECK(parse_checkpoint(*note)->check(started.signer->verifier()));
  }
  other.join();
  CHECK(wrong == 0);
  kill_and_wait(started.process);
  CHECK_FALSE(started.signer->sign_package(manifest));
}

TEST_CASE_METHOD(SignedFolder, "A killed signer remembers each signature that left it") {
  Tree tree;
  for (int life = 0; life < 5; ++life) {
    const Started started = start();
    CHECK(started.signer->heads().last == TreeHead::of(tree));
    for (int i = 0; i < 1 + life; ++i) REQUIRE(started.signer->sign(growth(tree, 3)));
    kill_and_wait(started.process);
    Tree more = tree;
    const auto gone = started.signer->sign(growth(more, 1));
    REQUIRE_FALSE(gone);
    CHECK(gone.error().message.find("does not answer") != std::string::npos);
    CHECK_FALSE(started.signer->sign(growth(more, 1)));
  }
}

TEST_CASE_METHOD(SignedFolder, "The signer ends when its gateway lets go of it") {
  Started started = start();
  ::siginfo_t info{};
  // Not by what ends gateways.
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::kill(started.process, signal);
  Tree tree;
  CHECK(started.signer->sign(growth(tree, 1)));
  CHECK(::waitid(P_PID, static_cast<::id_t>(started.process), &info, WEXITED | WNOWAIT | WNOHANG) ==
        0);
  CHECK(info.si_pid == 0);
  started.signer.reset();
  CHECK(::kill(started.process, 0) != 0);
}

TEST_CASE_METHOD(SignedFolder, "A log that its signer left takes nothing more and loses nothing") {
  {
    const Started started = start();
    const auto log = open_with(*started.signer);
    append_durably(*log, 5);
    kill_and_wait(started.process);
    WorkerLog& worker = log->worker(0);
    REQUIRE(worker.append_single(sample_intent()));
    worker.request_flush();
    while (!worker.is_broken()) std::this_thread::yield();
    CHECK_FALSE(worker.append_single(sample_intent()));
    CHECK(log->status().failure.find("the signer process does not answer") != std::string::npos);
  }
  const Started started = start();
  { const auto log = open_with(*started.signer); }
  CHECK(verify_with_key().ok);
  const auto lines = records();
  CHECK(std::ranges::count_if(lines, [](const std::string& line) {
          return line.find("\"phase\":\"intent\"") != std::string::npos;
        }) == 6);
}

TEST_CASE_METHOD(SignedFolder, "A directory that was rolled back is refused with both sizes") {
  const auto older = folder.path() / "older";
  const auto grow = [this](int count) {
    const Started started = start();
    append_durably(*open_with(*started.signer), count);
  };
  grow(10);
  std::filesystem::copy(options.directory, older);
  const auto had = verify_with_key().records;
  grow(10);
  const auto has = verify_with_key().records;
  std::filesystem::remove_all(options.directory);
  std::filesystem::copy(older, options.directory);
  const Started started = start();
  options.signer = started.signer.get();
  const auto log = try_open();
  REQUIRE_FALSE(log);
  INFO(log.error().message);
  CHECK(log.error().message.find(std::to_string(had) + " records") != std::string::npos);
  CHECK(log.error().message.find("signed " + std::to_string(has)) != std::string::npos);
  CHECK(log.error().message.find(settings.state.string()) != std::string::npos);

  // Nor is an empty one taken, nor one that another signer of the same key wrote.
  std::filesystem::remove_all(options.directory);
  CHECK_FALSE(try_open());
  options.signer = nullptr;
  append_durably(*open(), 40);
  options.signer = started.signer.get();
  const auto forked = try_open();
  REQUIRE_FALSE(forked);
  CHECK(forked.error().message.find("another log was put in its place") != std::string::npos);
}

TEST_CASE_METHOD(SignedFolder, "A signer that remembers less than the log has catches up") {
  {
    const Started started = start();
    append_durably(*open_with(*started.signer), 5);
  }
  const std::string before = read_file(settings.state);
  {
    const Started started = start();
    append_durably(*open_with(*started.signer), 5);
  }
  write_file(settings.state, before);
  {
    const Started started = start();
    append_durably(*open_with(*started.signer), 5);
  }
  CHECK(verify_with_key().ok);
  // Without its state it begins anew, and the log says so; as at its first start.
  std::filesystem::remove(settings.state);
  {
    const Started started = start();
    append_durably(*open_with(*started.signer), 1);
  }
  CHECK(verify_with_key().ok);
  const auto lines = records();
  CHECK(std::ranges::count_if(lines, [](const std::string& line) {
          return line.find("signer-began") != std::string::npos;
        }) == 2);
}

TEST_CASE_METHOD(SignedFolder, "What keeps a signer from starting is told by its gateway") {
  settings.key = folder.path() / "absent";
  const auto absent = try_start();
  REQUIRE_FALSE(absent);
  CHECK(absent.error().message.find("audit.signing_key: the audit signing key") == 0);
  CHECK(absent.error().message.find("make one with: sluice key signing") != std::string::npos);

  settings.key = options.signing_key;
  settings.state = folder.path() / "log.key" / "state";
  CHECK_FALSE(try_start());
  settings.state = folder.path() / "state";
  write_file(settings.state, "not what it was");
  const auto damaged = try_start();
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message.find("cannot be read") != std::string::npos);

  if (::geteuid() != 0) return;
  std::filesystem::remove(settings.state);
  settings.user = "no-such-user";
  const auto nobody = try_start();
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().message.find("there is no user 'no-such-user'") != std::string::npos);
  settings.user = "root";
  CHECK_FALSE(try_start());
}

TEST_CASE_METHOD(SignedFolder,
                 "The signer seals the log again and again, through kills and restarts") {
  settings.seal_every = seconds(1);
  std::uint64_t seals = 0;
  for (int life = 0; life < 3; ++life) {
    const Started started = start();
    const std::string greeted(started.signer->seal());
    CHECK(greeted.empty() == (life == 0));
    auto log = open_with(*started.signer);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2200);
    while (std::chrono::steady_clock::now() < until) append_durably(*log, 1);
    if (life == 1) kill_and_wait(started.process);
    log.reset();
    const auto report = verify_with_key();
    INFO(report.fault << " at " << report.where);
    CHECK(report.ok);
    CHECK(report.seals >= seals + 2);
    CHECK(report.seal_chains == 1);
    seals = report.seals;
  }
  // Whoever takes its memory away is seen to have done so.
  std::filesystem::remove(settings.state);
  const Started started = start();
  { const auto log = open_with(*started.signer); }
  const auto report = verify_with_key();
  CHECK(report.ok);
  CHECK(report.seal_chains == 2);
}

TEST_CASE_METHOD(SignedFolder, "A signer makes no seal before the log has the last one") {
  settings.seal_every = seconds(1);
  const Started started = start();
  Tree tree;
  REQUIRE(started.signer->sign(growth(tree, 1)));
  const std::string first(started.signer->seal());
  CHECK(parse_seal(first)->number == 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  REQUIRE(started.signer->sign(growth(tree, 1)));
  CHECK(started.signer->seal() == first);
  started.signer->note_sealed();
  REQUIRE(started.signer->sign(growth(tree, 1)));
  const auto second = parse_seal(started.signer->seal());
  REQUIRE(second);
  CHECK(second->number == 2);
  CHECK(second->head.size == 2);
}

TEST_CASE_METHOD(SignedFolder, "A signer whose key is in a token signs in its sandbox") {
  REQUIRE(::chmod(folder.path().c_str(), 0711) == 0);
  const SoftToken token(folder.path());
  settings.token = token.settings;
  settings.key.clear();
  {
    const Started started = start();
    CHECK(started.signer->verifier().origin() == test_origin);
    verifier = started.signer->verifier().line();
    append_durably(*open_with(*started.signer), 20);
  }
  CHECK(verify_with_key().ok);
  const Started started = start();
  const auto log = open_with(*started.signer);
  append_durably(*log, 3);
  // Pulled out: the signer lives and says so.
  token.remove();
  REQUIRE(log->worker(0).append_single(sample_intent()));
  log->worker(0).request_flush();
  while (!log->worker(0).is_broken()) std::this_thread::yield();
  CHECK(log->status().failure.find("the token 'sluice' cannot") != std::string::npos);
  CHECK(::kill(started.process, 0) == 0);
}

TEST_CASE("In the signer's sandbox what it does not need ends the process") {
  const auto status = [](auto action) {
    return status_in_sandbox(SignerCalls::key_in_memory, action);
  };
  CHECK(status([] {}) == 0);
  CHECK(status([] { delete[] new volatile char[1 << 20]; }) == 0);
  CHECK(is_killed_by_filter(status([] { (void)::socket(AF_INET, SOCK_STREAM, 0); })));
  CHECK(is_killed_by_filter(status([] { (void)::open("/etc/passwd", O_RDONLY); })));
  CHECK(is_killed_by_filter(status([] { (void)::fork(); })));
  CHECK(is_killed_by_filter(status([] { (void)::kill(::getppid(), 0); })));
  CHECK(is_killed_by_filter(status([] { ::execl("/bin/true", "true", nullptr); })));
  CHECK(is_killed_by_filter(status([] {
    (void)::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  })));
  CHECK(is_killed_by_filter(status([] { (void)::setuid(0); })));
}

TEST_CASE("In the sandbox of a token's module files are read, and all else is refused") {
  const test::TemporaryFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  const std::string path = folder.path() / "made";
  const auto is_refused = [](auto action) {
    const auto tried = [&action] { ::_exit(action() < 0 && errno == EPERM ? 0 : 1); };
    return status_in_sandbox(SignerCalls::token, tried) == 0;
  };
  CHECK(status_in_sandbox(SignerCalls::token, [] {
          const int fd = ::open("/etc/passwd", O_RDONLY);
          char first = 0;
          ::_exit(fd >= 0 && ::read(fd, &first, 1) == 1 && ::close(fd) == 0 ? 0 : 1);
        }) == 0);
  CHECK(is_refused([&path] { return ::open(path.c_str(), O_WRONLY | O_CREAT, 0600); }));
  CHECK(is_refused([&path] { return ::open(path.c_str(), O_RDONLY | O_CREAT, 0600); }));
  CHECK(is_refused([] { return ::open("/dev/null", O_RDWR); }));
  CHECK(is_refused([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }));
  CHECK(is_refused([] { return ::socket(AF_INET, SOCK_STREAM, 0); }));
  CHECK(is_refused([] { return ::fork(); }));
  CHECK(is_refused([] { return ::kill(::getppid(), 0); }));
  CHECK(is_refused([] { return ::execl("/bin/true", "true", nullptr); }));
  CHECK(is_refused([] { return ::unlink("/etc/passwd"); }));
  CHECK(is_refused([] { return ::setuid(0); }));
  CHECK(is_refused([] {
    void* at = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? -1 : 0;
  }));
}

}  // namespace sluice::audit
