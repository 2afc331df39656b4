#include "audit/signer_sandbox.h"

#include <fcntl.h>
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

constexpr rlim_t module_descriptors_max = 64;

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
  if (::initgroups(user.c_str(), entry->pw_gid) != 0 ||
      ::setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
      ::setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0) {
    return refusal(fmt::format("become the user '{}'", user));
  }
  if (::setuid(0) == 0) return fail("the signer process could become root again");
  return {};
}

Result<void> limit_resources(rlim_t descriptors) {
  struct Limit {
    decltype(RLIMIT_CORE) what;
    rlim_t most;
  };
  for (const Limit& limit : {Limit{RLIMIT_CORE, 0}, Limit{RLIMIT_NPROC, 0},
                             Limit{RLIMIT_NOFILE, descriptors}, Limit{RLIMIT_FSIZE, 64 << 10}}) {
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

/// What a module takes for a signature: it looks whether its files changed, or speaks to a
/// process that it is connected to.
int allow_module(void* filter) {
  int bad = 0;
  for (const int call :
       {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat),
        SCMP_SYS(newfstatat), SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(getpid)}) {
    bad |= ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
  const ::scmp_arg_cmp only_read{2, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY};
  bad |= ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, only_read);
  return bad;
}

Result<void> filter_calls(SignerCalls calls) {
  const bool is_token = calls == SignerCalls::token;
  const std::unique_ptr<void, FilterRelease> filter(
      ::seccomp_init(is_token ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS));
  if (!filter) return fail("the signer process cannot make a seccomp filter");
  int bad = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : {SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(pwrite64),
                         SCMP_SYS(fdatasync), SCMP_SYS(clock_gettime), SCMP_SYS(futex),
                         SCMP_SYS(getrandom), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise),
                         SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group)}) {
    bad |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    const ::scmp_arg_cmp not_executable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    bad |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, not_executable);
  }
  if (is_token) bad |= allow_module(filter.get());
  if (bad != 0) return fail("the signer process cannot make its seccomp filter");
  if (const int error = ::seccomp_load(filter.get()); error != 0) {
    errno = -error;
    return refusal("load its seccomp filter");
  }
  return {};
}

}  // namespace

Result<void> leave_gateway_user(const std::string& user) {
  if (::geteuid() == 0) {
    if (auto done = become(user); !done) return done;
  }
  // Changing the user resets both of these.
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return refusal("hide its memory");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return refusal("end with its gateway");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refusal("give up new privileges");
  if (::chdir("/") != 0) return refusal("leave its directory");
  return {};
}

Result<void> enter_signer_sandbox(SignerCalls calls) {
  // One descriptor: `poll` asks for as many as it looks at; those that are open stay.
  const rlim_t descriptors = calls == SignerCalls::token ? module_descriptors_max : 1;
  if (auto done = limit_resources(descriptors); !done) return done;
  return filter_calls(calls);
}

}  // namespace sluice::audit
