#include "cli/unhurried.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

namespace sluice::cli {
namespace {

/// setpriority(2).
constexpr int lowest_priority = 19;

}  // namespace

void run_unhurried(const std::function<void()>& work) {
  std::thread([&work] {
    ::pthread_setname_np(::pthread_self(), "unhurried");
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), lowest_priority);
    work();
  }).join();
}

}  // namespace sluice::cli
