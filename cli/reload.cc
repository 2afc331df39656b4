// sluice reload: take up the changed configuration; connections stay.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {

ExitCode perform(const ReloadOptions& options) {
  const auto answer =
      ask_gateway("reload", options.gateway, {.method = "POST", .target = "/reload"});
  if (answer.code != ExitCode::ok) return answer.code;
  const auto page = nlohmann::json::parse(answer.reply.body, nullptr, false);
  if (page.is_discarded()) return complain("reload", answer.reply.body, ExitCode::failed);
  const bool reloaded = answer.reply.status == 200;
  if (options.json) {
    fmt::print("{}", answer.reply.body);
  } else if (reloaded) {
    fmt::print("reloaded: configuration {} is in force\n", page.value("configuration", 0));
  } else {
    fmt::print(stderr, "{}\nsluice reload: the configuration in force stays\n",
               page.value("error", std::string()));
  }
  return reloaded ? ExitCode::ok : ExitCode::bad_configuration;
}

}  // namespace sluice::cli
