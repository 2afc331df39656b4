// sluice drain: finish what is under way, take nothing new, then stop.
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {

ExitCode perform(const DrainOptions& options) {
  const auto answer =
      ask_gateway("drain", options.gateway, {.method = "POST", .target = "/v1/drain"});
  if (answer.code != ExitCode::ok) return answer.code;
  fmt::print("{}", options.json ? answer.body : "draining; the gateway stops when it is done\n");
  return ExitCode::ok;
}

}  // namespace sluice::cli
