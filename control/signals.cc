#include "control/signals.h"

#include <ctime>
#include <initializer_list>

#include "base/assert.h"

namespace sluice::control {

Signals::Signals() {
  ::sigemptyset(&set_);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) ::sigaddset(&set_, signal);
  ASSERT(::pthread_sigmask(SIG_BLOCK, &set_, nullptr) == 0);
  // A peer that went away is an error of its send, never the end of the process.
  ASSERT(::signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

Wish Signals::wait(Duration timeout) const {
  const timespec limit{.tv_sec = timeout.ns / 1'000'000'000, .tv_nsec = timeout.ns % 1'000'000'000};
  switch (::sigtimedwait(&set_, nullptr, &limit)) {
    case SIGHUP:
      return Wish::reload;
    case SIGTERM:
    case SIGINT:
      return Wish::stop;
    default:
      return Wish::nothing;
  }
}

}  // namespace sluice::control
