#include "saml/reader_sandbox.h"

#include <fmt/format.h>
#include <grp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace sluice::saml {
namespace {

/// The kernel's own number for an account that owns nothing.
constexpr ::uid_t nobody = 65'534;

tl::unexpected<Error> refusal(std::string_view what) {
  return fail(fmt::format("the reader of responses cannot {}: {}", what, std::strerror(errno)));
}

Result<void> leave_user() {
  if (::geteuid() == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(nobody, nobody, nobody) != 0 ||
        ::setresuid(nobody, nobody, nobody) != 0) {
      return refusal("leave root");
    }
  }
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return refusal("hide its memory");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refusal("give up new privileges");
  return {};
}

/// Pages that the process has mapped.
Result<rlim_t> address_space_bytes() {
  std::ifstream file("/proc/self/statm");
  rlim_t pages = 0;
  if (!(file >> pages)) return refusal("see its size");
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

Result<void> limit_resources() {
  const auto mapped = address_space_bytes();
  if (!mapped) return tl::unexpected(mapped.error());
  struct Limit {
    decltype(RLIMIT_CORE) what;
    rlim_t most;
  };
  for (const Limit& limit : {Limit{RLIMIT_CORE, 0}, Limit{RLIMIT_NPROC, 0}, Limit{RLIMIT_NOFILE, 0},
                             Limit{RLIMIT_FSIZE, 0}, Limit{RLIMIT_CPU, reader_cpu_seconds_max},
                             Limit{RLIMIT_AS, *mapped + reader_memory_bytes_max}}) {
    const ::rlimit set{limit.most, limit.most};
    if (::setrlimit(limit.what, &set) != 0) return refusal("limit its resources");
  }
  return {};
}

struct FilterRelease {
  void operator()(void* filter) const noexcept { ::seccomp_release(filter); }
};

Result<void> filter_calls() {
  const std::unique_ptr<void, FilterRelease> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!filter) return fail("the reader of responses cannot make a seccomp filter");
  int bad = 0;
  // What is open is the one socket.
  for (const int call :
       {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(clock_gettime), SCMP_SYS(futex),
        SCMP_SYS(getrandom), SCMP_SYS(getcpu), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
        SCMP_SYS(madvise), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group)}) {
    bad |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    const ::scmp_arg_cmp not_executable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    bad |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, not_executable);
  }
  if (bad != 0) return fail("the reader of responses cannot make its seccomp filter");
  if (const int error = ::seccomp_load(filter.get()); error != 0) {
    errno = -error;
    return refusal("load its seccomp filter");
  }
  return {};
}

}  // namespace

Result<void> enter_reader_sandbox() {
  if (auto done = leave_user(); !done) return done;
  if (auto done = limit_resources(); !done) return done;
  return filter_calls();
}

}  // namespace sluice::saml
