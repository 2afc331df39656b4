#include "dataplane/transport/uring_ring.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace sluice::dataplane {
namespace {

/// A completion ring larger than the submission ring: multishot operations
/// answer more often than they are asked.
constexpr unsigned completions_per_entry = 4;

/// What a refusal of io_uring means for the person who can change it.
Error refusal(int error, unsigned entries) {
  switch (error) {
    case EPERM:
    case EACCES:
      return {
          "the kernel refuses io_uring (EPERM): allow io_uring_setup, io_uring_enter and "
          "io_uring_register in the seccomp profile of the container runtime, and check that "
          "sysctl kernel.io_uring_disabled is 0"};
    case ENOSYS:
      return {
          "this kernel or sandbox has no io_uring (ENOSYS): Linux 5.11 or newer is needed "
          "(6.1 is recommended), and a seccomp profile that does not hide it"};
    case ENOMEM:
      return {fmt::format(
          "no locked memory for an io_uring of {} entries (ENOMEM): raise RLIMIT_MEMLOCK, under "
          "systemd with LimitMEMLOCK=infinity",
          entries)};
    case EMFILE:
    case ENFILE:
      return {
          "no file descriptor for an io_uring (EMFILE): raise RLIMIT_NOFILE, under systemd "
          "with LimitNOFILE="};
    default:
      return {fmt::format("io_uring cannot be set up: {}", std::strerror(error))};
  }
}

int set_up(io_uring* ring, unsigned entries, unsigned flags) {
  io_uring_params params{};
  params.flags = flags | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;
  params.cq_entries = entries * completions_per_entry;
  return io_uring_queue_init_params(entries, ring, &params);
}

}  // namespace

Result<UringRing> UringRing::make(unsigned entries, bool plain) {
  UringRing made;
  // Linux 6.1 has DEFER_TASKRUN, and everything that the modern path needs came
  // before it; so the flag is the probe.
  constexpr unsigned modern =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
  int status = plain ? -EINVAL : set_up(&made.ring_, entries, modern);
  if (status == 0) {
    made.features_ = {.deferred_work = true, .modern_sockets = true};
  } else if (status == -EINVAL) {
    status = set_up(&made.ring_, entries, 0);
  }
  if (status < 0) return tl::unexpected<Error>(refusal(-status, entries));
  made.alive_ = true;

  // Waiting with a timeout in the same crossing as the submission (5.11).
  if ((made.ring_.features & IORING_FEAT_EXT_ARG) == 0) {
    return tl::unexpected<Error>(refusal(ENOSYS, entries));
  }
  return made;
}

UringRing::UringRing(UringRing&& other) noexcept
    : ring_(other.ring_),
      features_(other.features_),
      alive_(std::exchange(other.alive_, false)),
      adopted_(other.adopted_) {}

UringRing::~UringRing() {
  if (alive_) io_uring_queue_exit(&ring_);
}

bool UringRing::has_room(unsigned count) noexcept {
  if (io_uring_sq_space_left(&ring_) >= count) return true;
  adopt();
  io_uring_submit(&ring_);
  return io_uring_sq_space_left(&ring_) >= count;
}

io_uring_sqe* UringRing::entry() noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  ASSERT(entry != nullptr);
  return entry;
}

void UringRing::enter(Duration wait) noexcept {
  adopt();
  if (wait.ns <= 0) {
    io_uring_submit_and_get_events(&ring_);
    return;
  }
  __kernel_timespec limit{.tv_sec = wait.ns / 1'000'000'000, .tv_nsec = wait.ns % 1'000'000'000};
  io_uring_cqe* first = nullptr;
  // A timeout, a signal and a full completion ring all show as completions that
  // are or are not there; what was not submitted stays queued.
  io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
}

const io_uring_cqe* UringRing::peek() noexcept {
  unsigned head = 0;
  io_uring_cqe* entry = nullptr;
  io_uring_for_each_cqe(&ring_, head, entry) {
    return entry;
  }
  return nullptr;
}

/// The ring starts disabled so that it can be made, and its refusal shown, on
/// the thread that starts up; enabling it makes the caller its only issuer.
void UringRing::adopt() noexcept {
  if (adopted_) return;
  adopted_ = true;
  // liburing 2.3 declares io_uring_enable_rings but does not export it.
  const int enabled = io_uring_register(static_cast<unsigned>(ring_.ring_fd),
                                        IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  ASSERT(enabled == 0);
  // Saves the file lookup of every crossing (5.18); older kernels do without.
  io_uring_register_ring_fd(&ring_);
}

}  // namespace sluice::dataplane
