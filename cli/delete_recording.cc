// sluice delete-recording: remove one recording, for a reason that the log keeps.
#include "cli/delete_recording.h"

#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "delete-recording";

}  // namespace

Result<std::string> delete_recording(recordings::Retention* retention, const std::string& body,
                                     const std::string& by) {
  if (retention == nullptr) return fail("this gateway records nothing");
  std::string name;
  std::string reason;
  try {
    const Json page = Json::parse(body);
    name = page.at("recording").get<std::string>();
    reason = page.at("reason").get<std::string>();
  } catch (const Json::exception& fault) {
    return fail(fault.what());
  }
  const auto removed = retention->remove(name, reason, by);
  if (!removed) return tl::unexpected(removed.error());
  return Json{{"recording", name}, {"chunks", removed->chunks}, {"bytes", removed->bytes}}.dump();
}

ExitCode perform(const DeleteRecordingOptions& options) {
  const Json wanted{{"recording", options.recording}, {"reason", options.reason}};
  const auto answer =
      ask_gateway(verb, options.gateway,
                  {.method = "POST", .target = "/recordings/delete", .body = wanted.dump()});
  if (answer.code != ExitCode::ok) return answer.code;
  const Json page = Json::parse(answer.reply.body, nullptr, false);
  if (page.is_discarded()) return complain(verb, answer.reply.body, ExitCode::failed);
  if (answer.reply.status != 200) {
    return complain(verb, page.value("error", answer.reply.body), ExitCode::failed);
  }
  if (options.json) {
    fmt::print("{}", answer.reply.body);
  } else {
    fmt::print("removed recording {}: {}\n", options.recording,
               counted(page.at("chunks").get<std::uint64_t>(), "chunk"));
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
