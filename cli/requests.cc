// sluice requests, approve, deny, break-glass, review: operations that wait for people.
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"
#include "control/api/target.h"
#include "control/shown_text.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using Json = nlohmann::ordered_json;

constexpr std::string_view path = "/v1/requests";
constexpr const char* credential_variable = "SLUICE_CREDENTIAL";

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  // Names and statements are of whoever asks, and must not look like something else.
  return found != object.end() && found->is_string() ? shown_text(found->get<std::string>())
                                                     : std::string();
}

/// What rules ask for: "2 of dba (rule bulk deletes)".
std::string wanted(const Json& request) {
  std::string out;
  for (const Json& rule : request.value("rules", Json::array())) {
    std::string groups;
    for (const Json& group : rule.value("by_groups", Json::array())) {
      groups += (groups.empty() ? "" : ", ") + shown_text(group.get<std::string>());
    }
    out += fmt::format("{}{} of {}{} (rule {})", out.empty() ? "" : ", ", rule.value("distinct", 0),
                       rule.value("all_groups", false) ? "each of " : "", groups,
                       text_of(rule, "rule"));
  }
  return out;
}

std::string end_of(const Json& request) {
  const std::string ended = text_of(request, "ended");
  return ended.empty() ? text_of(request, "state")
                       : fmt::format("{}, {}", text_of(request, "state"), ended);
}

void print_line(const Json& request) {
  const Json requester = request.value("requester", Json::object());
  fmt::print("{}  {:<10}  {}  {} {} → {}\n", text_of(request, "id"), end_of(request),
             text_of(request, "since").substr(0, 19), text_of(requester, "subject"),
             text_of(request, "resource"), text_of(request, "target"));
}

void print_whole(const Json& request) {
  const Json requester = request.value("requester", Json::object());
  fmt::print("request   {}: {}\n", text_of(request, "id"), end_of(request));
  fmt::print("asked by  {} ({}) from {}\n", text_of(requester, "subject"),
             text_of(requester, "issuer"), text_of(request, "peer"));
  fmt::print("to run    {}\n", text_of(request, "resource"));
  fmt::print("on        {} {} by listener {}\n", text_of(request, "target"),
             text_of(request, "host"), text_of(request, "listener"));
  fmt::print("needs     {}\n", wanted(request));
  fmt::print("since     {}, until {}\n", text_of(request, "since"), text_of(request, "until"));
  for (const Json& one : request.value("decisions", Json::array())) {
    const std::string reason = text_of(one, "reason");
    fmt::print("{:<11} {} at {}{}{}\n", text_of(one, "decision"),
               text_of(one.value("who", Json::object()), "subject"), text_of(one, "at"),
               reason.empty() ? "" : ": ", reason);
  }
}

/// Never from the command line, which every process of the host can read. Empty: over TLS the
/// token that proves who calls decides, too.
Result<std::string> credential_of(const std::string& file, bool is_over_tls) {
  std::string secret;
  if (file.empty()) {
    const char* const value = std::getenv(credential_variable);
    if (value == nullptr || *value == '\0') {
      if (is_over_tls) return std::string();
      return fail(
          fmt::format("who are you? Put your API key or token into {}, or into a file and "
                      "name that with --credential-file",
                      credential_variable));
    }
    secret = value;
  } else {
    std::ifstream in(file);
    if (!std::getline(in, secret) || secret.empty()) {
      return fail(fmt::format("{}: no credential in its first line", file));
    }
  }
  return "Bearer " + secret;
}

ExitCode decide(std::string_view verb, const DecisionOptions& options) {
  auto credential = credential_of(options.credential_file, !options.gateway.url.empty());
  if (!credential) return complain(verb, credential.error().message, ExitCode::usage);
  const Json body{{"reason", options.reason}};
  control::HttpRequest request{
      .method = "POST",
      .target = fmt::format("{}/{}/{}", path, control::api::escaped(options.id), verb),
      .body = body.dump()};
  if (!credential->empty()) request.fields.emplace_back("Authorization", std::move(*credential));
  const auto reply = ask_gateway(verb, options.gateway, request);
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
    return ExitCode::ok;
  }
  const Json page = Json::parse(reply.body);
  const std::string state = text_of(page, "state");
  fmt::print("{} is {}\n", text_of(page, "id"),
             state == "waiting"      ? "waiting for more: " + wanted(page)
             : state == "unreviewed" ? "let through, and must be reviewed: sluice review"
                                     : state);
  return ExitCode::ok;
}

}  // namespace

ExitCode perform(const RequestsOptions& options) {
  std::string target(path);
  if (!options.id.empty()) {
    target += "/" + control::api::escaped(options.id);
  } else if (!options.state.empty()) {
    target += "?state=" + options.state;
  }
  const auto reply =
      ask_gateway("requests", options.gateway, {.method = "GET", .target = std::move(target)});
  if (reply.code != ExitCode::ok) return reply.code;
  if (options.json) {
    fmt::print("{}", reply.body);
    return ExitCode::ok;
  }
  const Json page = Json::parse(reply.body);
  if (!options.id.empty()) {
    print_whole(page);
    return ExitCode::ok;
  }
  for (const Json& request : page.value("requests", Json::array())) print_line(request);
  return ExitCode::ok;
}

ExitCode perform(const ApproveOptions& options) {
  return decide("approve", options);
}

ExitCode perform(const DenyOptions& options) {
  return decide("deny", options);
}

ExitCode perform(const BreakGlassOptions& options) {
  return decide("break-glass", options);
}

ExitCode perform(const ReviewOptions& options) {
  return decide("review", options);
}

}  // namespace sluice::cli
