// sluice legal-hold: keep records that retention would remove.
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "legal-hold";
constexpr std::string_view path = "/v1/legal-holds";

/// As the gateway takes times; empty stays empty.
Result<std::string> absolute(const std::string& text, WallTime now) {
  if (text.empty()) return text;
  const auto time = parse_time(text, now, false);
  if (!time) return tl::unexpected(time.error());
  return timestamp_text(*time, 9);
}

std::string line_of(const Json& hold) {
  const auto bound = [&hold](const char* name, const char* otherwise) {
    const auto text = hold.at(name).get<std::string>();
    return text.empty() ? std::string(otherwise) : text;
  };
  return fmt::format("{}: from {} until {}: {}", hold.at("id").get<std::uint64_t>(),
                     bound("from", "the log's beginning"), bound("until", "further notice"),
                     hold.at("reason").get<std::string>());
}

/// Asks, and prints the gateway's answer where JSON is wanted.
Answer ask(const AdminTarget& gateway, const control::HttpRequest& request, bool json) {
  Answer answer = ask_gateway(verb, gateway, request);
  if (answer.code == ExitCode::ok && json) fmt::print("{}", answer.body);
  return answer;
}

}  // namespace

ExitCode perform(const LegalHoldAddOptions& options) {
  const WallTime now = wall_now();
  const auto from = absolute(options.from, now);
  if (!from) return complain(verb, from.error().message, ExitCode::usage);
  const auto until = absolute(options.until, now);
  if (!until) return complain(verb, until.error().message, ExitCode::usage);
  const Json wanted{{"from", *from}, {"until", *until}, {"reason", options.reason}};
  const auto reply =
      ask(options.gateway, {.method = "POST", .target = std::string(path), .body = wanted.dump()},
          options.json);
  if (reply.code == ExitCode::ok && !options.json)
    fmt::print("held as {}\n", line_of(Json::parse(reply.body)));
  return reply.code;
}

ExitCode perform(const LegalHoldListOptions& options) {
  const auto reply =
      ask(options.gateway, {.method = "GET", .target = std::string(path)}, options.json);
  if (reply.code != ExitCode::ok || options.json) return reply.code;
  const Json page = Json::parse(reply.body);
  for (const auto& hold : page.at("legal_holds")) fmt::print("{}\n", line_of(hold));
  return ExitCode::ok;
}

ExitCode perform(const LegalHoldReleaseOptions& options) {
  const auto reply = ask(
      options.gateway, {.method = "POST", .target = fmt::format("{}/{}/release", path, options.id)},
      options.json);
  if (reply.code == ExitCode::ok && !options.json) {
    fmt::print("released {}\n", line_of(Json::parse(reply.body)));
  }
  return reply.code;
}

}  // namespace sluice::cli
