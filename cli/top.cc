// sluice top: what passes through the running gateway, at this moment.
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/top_frame.h"
#include "cli/verbs.h"
#include "config/load/quantity.h"

namespace sluice::cli {
namespace {

/// Of a terminal that does not say.
constexpr ::winsize usual_size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};

struct Look {
  ExitCode code = ExitCode::ok;  ///< Not ok: told to the operator already.
  Figures figures = {};
  std::chrono::steady_clock::time_point at = {};
};

Look look_at(const AdminTarget& gateway) {
  const auto answer =
      ask_gateway("top", gateway, {.method = "GET", .target = "/metrics"}, AnswerForm::text);
  if (answer.code != ExitCode::ok) return {.code = answer.code};
  const auto samples = read_exposition(answer.body);
  if (!samples) return {.code = complain("top", samples.error().message, ExitCode::failed)};
  return {.figures = figures_of(*samples), .at = std::chrono::steady_clock::now()};
}

void show(const TopOptions& options, const TopFrame& frame) {
  if (options.json) {
    fmt::print("{}\n", top_json(frame, wall_now()));
  } else if (options.once || ::isatty(STDOUT_FILENO) == 0) {
    fmt::print("{}", top_text(frame, wall_now(), 1'000, 1'000, false));
  } else {
    ::winsize size = usual_size;
    static_cast<void>(::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size));
    if (size.ws_col == 0 || size.ws_row < 2) size = usual_size;
    // Home, what is new over what was there, and nothing below it.
    fmt::print("\x1b[H\x1b[2J{}", top_text(frame, wall_now(), size.ws_col, size.ws_row - 1U, true));
  }
  // Who reads a pipe wants each interval when it is over.
  static_cast<void>(std::fflush(stdout));
}

}  // namespace

ExitCode perform(const TopOptions& options) {
  const auto interval = config::parse_duration(options.interval);
  if (!interval) return complain("top", interval.error().message, ExitCode::usage);
  if (*interval < milliseconds(100)) {
    return complain("top", "an interval is 100ms or longer", ExitCode::usage);
  }
  Look before = look_at(options.gateway);
  while (before.code == ExitCode::ok) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(interval->ns));
    Look now = look_at(options.gateway);
    if (now.code != ExitCode::ok) return now.code;
    show(options, frame_of(before.figures, now.figures,
                           {std::chrono::nanoseconds(now.at - before.at).count()}));
    if (options.once) return ExitCode::ok;
    before = std::move(now);
  }
  return before.code;
}

}  // namespace sluice::cli
