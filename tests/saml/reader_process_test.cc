// The reader as a process of its own: it answers, and it can do nothing else.
#include "saml/reader_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <functional>

#include "saml/message.h"
#include "saml/reader_client.h"
#include "saml/reader_sandbox.h"
#include "saml_bench.h"

using namespace sluice;
using namespace sluice::test;

namespace {

/// A fresh image: what libraries look up once must not be in this one already.
std::string ask_child(std::string_view message) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const pid_t process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    ::dup2(ends[1], saml::reader_socket);
    ::execl(SLUICE_SAML_READER, saml::reader_process_name, nullptr);
    ::_exit(9);
  }
  ::close(ends[1]);
  std::string answer = saml::converse(ends[0], message);
  ::close(ends[0]);
  ::waitpid(process, nullptr, 0);
  return answer;
}

/// How a child ended that did this within the sandbox.
int end_of(const std::function<void()>& deed) {
  const pid_t process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    if (!saml::prepare_reader() || !saml::enter_reader_sandbox()) ::_exit(9);
    deed();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}
bool is_killed(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

}  // namespace

TEST_CASE("A process reads what was signed, and another what it says") {
  SamlBench bench(saml_settings(), ask_child);
  const auto verdict = bench.finish(bench.good());
  CHECK(name(verdict.fault) == "none");
  CHECK(verdict.principal.subject == "ann");
  bench.begin();
  const std::string ecdsa = signed_xml(
      response_xml(bench.names, assertion_xml(bench.names, "_p")), "_p", saml_keys().p256.key,
      {.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"});
  CHECK(name(bench.finish(ecdsa).fault) == "none");
  CHECK(name(bench.finish(with(ecdsa, ">ann<", ">root<")).fault) == "wrong_digest");
  CHECK(name(bench.finish("<x>").fault) == "bad_xml");
}

TEST_CASE("It answers what is no request, and not what is too long") {
  CHECK(saml::parse_statement(ask_child("?")).error() == saml::Fault::reader_failed);
  CHECK(ask_child(std::string(saml::message_bytes_max + 1, 'x')).empty());
}

TEST_CASE("It opens no file, no socket and no process, and signals nobody") {
  CHECK(WIFEXITED(end_of([] {})));
  CHECK(is_killed(end_of([] { ::open("/etc/passwd", O_RDONLY); })));
  CHECK(is_killed(end_of([] { ::socket(AF_INET, SOCK_STREAM, 0); })));
  CHECK(is_killed(end_of([] { ::fork(); })));
  CHECK(is_killed(end_of([] { ::kill(::getppid(), SIGTERM); })));
  CHECK(is_killed(end_of(
      [] { ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); })));
}

TEST_CASE("It has so much memory and so much time") {
  const int memory = end_of([] {
    constexpr std::size_t more = saml::reader_memory_bytes_max + (std::size_t{16} << 20);
    void* const got = ::mmap(nullptr, more, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::_exit(got == MAP_FAILED ? 7 : 0);
  });
  CHECK(WEXITSTATUS(memory) == 7);
  const int time = end_of([] {
    std::atomic<int> turns = 0;
    for (;;) ++turns;
  });
  CHECK(WIFSIGNALED(time));
}
