#include "cli/unhurried.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <thread>

namespace sluice::cli {
namespace {

/// setpriority(2).
constexpr int lowest_priority = 19;

}  // namespace

void run_unhurried(const std::function<void()>& work) {
  std::exception_ptr fault;
  std::thread([&work, &fault] {
    ::pthread_setname_np(::pthread_self(), "unhurried");
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), lowest_priority);
    try {
      work();
    } catch (...) {
      fault = std::current_exception();
    }
  }).join();
  if (fault) std::rethrow_exception(fault);
}

}  // namespace sluice::cli
