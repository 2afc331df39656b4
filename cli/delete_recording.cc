// sluice delete-recording: remove one recording, for a reason that the log keeps.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"
#include "control/api/target.h"

namespace sluice::cli {

ExitCode perform(const DeleteRecordingOptions& options) {
  using Json = nlohmann::ordered_json;
  const auto answer = ask_gateway(
      "delete-recording", options.gateway,
      {.method = "POST",
       .target = fmt::format("/v1/recordings/{}/delete", control::api::escaped(options.recording)),
       .body = Json{{"reason", options.reason}}.dump()});
  if (answer.code != ExitCode::ok) return answer.code;
  if (options.json) {
    fmt::print("{}", answer.body);
  } else {
    const Json page = Json::parse(answer.body);
    fmt::print("removed recording {}: {}\n", options.recording,
               counted(page.at("chunks").get<std::uint64_t>(), "chunk"));
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
