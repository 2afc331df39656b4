// sluice drain: finish what is under way, take nothing new, then stop.
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {

ExitCode perform(const DrainOptions& options) {
  const auto answer = ask_gateway("drain", options.gateway, {.method = "POST", .target = "/drain"});
  if (answer.code != ExitCode::ok) return answer.code;
  if (answer.reply.status != 202) return complain("drain", answer.reply.body, ExitCode::failed);
  fmt::print("{}",
             options.json ? answer.reply.body : "draining; the gateway stops when it is done\n");
  return ExitCode::ok;
}

}  // namespace sluice::cli
