// sluice policy dry-run: which recorded operations a configuration would rule otherwise.
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "audit/search.h"
#include "audit/verify.h"
#include "base/timestamp.h"
#include "cli/dry_run.h"
#include "cli/output.h"
#include "cli/rehearse.h"
#include "cli/rules_of_file.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "control/shown_text.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "policy dry-run";

std::string field(const Json& page, const char* name) {
  return shown_text(page.value(name, std::string()));
}

std::uint64_t number(const Json& page, const char* name) {
  return page.value(name, std::uint64_t{0});
}

void print_group(const Json& group) {
  const Json was = group.value("was", Json::object());
  const Json would_be = group.value("would_be", Json::object());
  const Json example = group.value("example", Json::object());
  const std::uint64_t unsure = number(group, "unsure");
  fmt::print("{} on {}: {} by \"{}\" → {} by \"{}\"{}\n",
             counted(number(group, "operations"), "operation"), field(group, "listener"),
             field(was, "ruling"), field(was, "rule"), field(would_be, "ruling"),
             field(would_be, "rule"), unsure == 0 ? "" : fmt::format(", {} unsure", unsure));
  fmt::print("    such as {}: {} {} {}\n", field(example, "time"), field(example, "subject"),
             field(example, "verb"), field(example, "resource"));
}

ExitCode tell(const std::string& report, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", report);
    return ExitCode::ok;
  }
  const Json page = Json::parse(report);
  for (const Json& group : page.value("changes", Json::array())) print_group(group);
  fmt::print("{} judged, {} would be ruled otherwise, {} unsure",
             counted(number(page, "judged"), "operation"), number(page, "changed"),
             number(page, "unsure"));
  const std::uint64_t gone = number(page, "without_listener");
  if (gone != 0) fmt::print(", {} on listeners that are gone", gone);
  fmt::print("\n");
  return ExitCode::ok;
}

/// As the control API takes it.
Json question_of(const PolicyDryRunOptions& options, const audit::RecordQuery& query) {
  Json question{{"search_path", options.search_path}};
  const auto add_time = [&question](const char* name, const std::string& word, std::uint64_t ns) {
    constexpr std::size_t decimals = 9;
    if (word.empty()) return;
    question[name] = timestamp_text(WallTime{static_cast<std::int64_t>(ns)}, decimals);
  };
  add_time("from", options.query.from, query.from_ns);
  add_time("until", options.query.until, query.until_ns);
  if (!query.subject.empty()) question["subject"] = query.subject;
  if (!query.target.empty()) question["target"] = query.target;
  return question;
}

/// The gateway judges page by page.
ExitCode ask(const PolicyDryRunOptions& options, const audit::RecordQuery& query) {
  Json question = question_of(options, query);
  if (options.version.empty()) {
    const auto rules = rules_of_file(verb, options.gateway.configuration);
    if (!rules) return ExitCode::bad_configuration;
    question["rules"] = *rules;
  } else {
    question["version"] = options.version;
  }
  std::string sum = "{}";
  for (;;) {
    const auto reply =
        ask_gateway(verb, options.gateway,
                    {.method = "POST", .target = "/v1/policy/dry-run", .body = question.dump()});
    if (reply.code != ExitCode::ok) return reply.code;
    sum = sum_of_reports(sum, reply.body);
    const Json page = Json::parse(reply.body);
    if (!page.value("has_more", false) || !page.contains("next")) break;
    question["after"] = page.at("next");
  }
  return tell(sum, options.json);
}

}  // namespace

ExitCode perform(const PolicyDryRunOptions& options) {
  auto query = parse_query(options.query, wall_now());
  if (!query) return complain(verb, query.error().message, ExitCode::usage);
  if (options.gateway.is_said()) return ask(options, *query);
  if (!options.version.empty()) {
    return complain(verb, "--digest is about a gateway's versions", ExitCode::usage);
  }
  const auto rehearsal = rehearse(options.gateway.configuration);
  if (!rehearsal) return complain(verb, rehearsal.error().message, ExitCode::bad_configuration);
  std::string directory = options.directory;
  if (directory.empty()) directory = (*rehearsal)->settings().audit.directory;
  audit::RecordFilter filter(std::move(*query));
  DryRun run(**rehearsal, options.search_path);
  std::string fault;
  const auto searched = audit::search(
      directory, filter,
      {.found =
           [&](ByteView record, audit::RecordPlace) {
             const auto text = audit::to_json(record);
             if (!text) fault = text.error().message;
             if (text) run.look_at(*text);
             return text.has_value();
           },
       .index_note = [](const std::string& note) { complain(verb, note, ExitCode::ok); }});
  if (!searched) return complain(verb, searched.error().message, ExitCode::failed);
  if (!fault.empty()) return complain(verb, fault, ExitCode::failed);
  return tell(run.report(), options.json);
}

}  // namespace sluice::cli
