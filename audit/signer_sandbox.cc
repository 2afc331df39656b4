#include "audit/signer_sandbox.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

namespace sluice::audit {
namespace {

tl::unexpected<Error> refusal(std::string_view what) {
  return fail(fmt::format("the signer process cannot {}: {}", what, std::strerror(errno)));
}

Result<void> become(const std::string& user) {
  errno = 0;
  const ::passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) {
    return fail(
        fmt::format("audit.signer.user: there is no user '{}'; make one with: adduser --system "
                    "--no-create-home "
                    "{}",
                    user, user));
  }
  if (entry->pw_uid == 0) return fail("audit.signer.user: the signer must not stay root");
  if (::setgroups(0, nullptr) != 0 ||
      ::setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
      ::setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0) {
    return refusal(fmt::format("become the user '{}'", user));
  }
  if (::setuid(0) == 0) return fail("the signer process could become root again");
  return {};
}

Result<void> limit_resources() {
  struct Limit {
    decltype(RLIMIT_CORE) what;
    rlim_t most;
  };
  // One descriptor: `poll` asks for as many as it looks at; those that are open stay.
  for (const Limit& limit : {Limit{RLIMIT_CORE, 0}, Limit{RLIMIT_NPROC, 0}, Limit{RLIMIT_NOFILE, 1},
                             Limit{RLIMIT_FSIZE, 64 << 10}}) {
    const ::rlimit set{limit.most, limit.most};
    if (::setrlimit(limit.what, &set) != 0) {
      return refusal("limit its resources");
    }
  }
  return {};
}

struct FilterRelease {
  void operator()(void* filter) const noexcept { ::seccomp_release(filter); }
};

/// What signing needs: the socket, the state file, and memory that is never executable.
Result<void> filter_calls() {
  const std::unique_ptr<void, FilterRelease> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!filter) return fail("the signer process cannot make a seccomp filter");
  int bad = 0;
  for (const int call : {SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(pwrite64),
                         SCMP_SYS(fdatasync), SCMP_SYS(clock_gettime), SCMP_SYS(futex),
                         SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise),
                         SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group)}) {
    bad |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    const ::scmp_arg_cmp not_executable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    bad |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, not_executable);
  }
  if (bad != 0) return fail("the signer process cannot make its seccomp filter");
  if (const int error = ::seccomp_load(filter.get()); error != 0) {
    errno = -error;
    return refusal("load its seccomp filter");
  }
  return {};
}

}  // namespace

Result<void> enter_signer_sandbox(const std::string& user) {
  if (::geteuid() == 0) {
    if (auto done = become(user); !done) return done;
  }
  // Changing the user resets both of these.
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return refusal("hide its memory");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return refusal("end with its gateway");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refusal("give up new privileges");
  if (::chdir("/") != 0) return refusal("leave its directory");
  if (auto done = limit_resources(); !done) return done;
  return filter_calls();
}

}  // namespace sluice::audit
