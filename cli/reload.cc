// sluice reload: take up the changed configuration; connections stay.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {

ExitCode perform(const ReloadOptions& options) {
  constexpr int not_taken = 422;
  const auto answer =
      ask_gateway("reload", options.gateway, {.method = "POST", .target = "/v1/reload"});
  if (answer.status == not_taken) {
    return complain("reload", "the configuration in force stays", ExitCode::bad_configuration);
  }
  if (answer.code != ExitCode::ok) return answer.code;
  if (options.json) {
    fmt::print("{}", answer.body);
  } else {
    fmt::print("reloaded: configuration {} is in force\n",
               nlohmann::json::parse(answer.body).value("configuration", std::uint64_t{0}));
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
