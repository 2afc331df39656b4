// sluice audit: search the log, follow it, print it.
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "audit/reader.h"
#include "audit/search.h"
#include "audit/verify.h"
#include "base/timestamp.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/record_line.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "control/api/target.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds follow_pause{200};
constexpr std::chrono::seconds ask_pause{1};  ///< Each question is a connection.

class Printer {
 public:
  explicit Printer(bool as_json) : as_json_(as_json) {}

  /// False when it is no record: fault() says why.
  bool print(ByteView bytes) {
    const auto text = audit::to_json(bytes);
    if (text)
      fmt::print("{}\n", as_json_ ? *text : record_line(nlohmann::ordered_json::parse(*text)));
    else
      fault_ = text.error().message;
    return text.has_value();
  }
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

 private:
  bool as_json_;
  std::string fault_;
};

/// Prints what is committed from now on, until the reader of our pipe is gone.
ExitCode follow(const std::string& directory, std::uint64_t next, audit::RecordFilter& filter,
                Printer& printer) {
  audit::LogReader reader(directory, next);
  while (std::fflush(stdout) == 0) {
    const auto read = reader.read([&](std::uint64_t, ByteView bytes) {
      const auto record = audit::fields_of(bytes);
      return !record || !filter.wants(*record) || printer.print(bytes);
    });
    if (!read) return complain("audit", read.error().message, ExitCode::failed);
    if (!printer.fault().empty()) return complain("audit", printer.fault(), ExitCode::failed);
    std::this_thread::sleep_for(follow_pause);
  }
  return ExitCode::failed;
}

/// As the control API has it.
std::string parameters_of(const audit::RecordQuery& query, const QueryWords& words) {
  std::string out = "/v1/records?limit=1000";
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("&{}={}", name, control::api::escaped(value));
  };
  constexpr std::size_t decimals = 9;
  const auto time = [](std::uint64_t ns) {
    return timestamp_text(WallTime{static_cast<std::int64_t>(ns)}, decimals);
  };
  if (!words.from.empty()) add("from", time(query.from_ns));
  if (!words.until.empty()) add("until", time(query.until_ns));
  add("record", words.record);
  add("subject", query.subject);
  add("target", query.target);
  add("rule", query.rule);
  add("ruling", words.ruling);
  if (query.session) add("session", fmt::format("{}", *query.session));
  return out;
}

/// Prints what the gateway finds, page by page, and perhaps what it comes to write.
ExitCode ask(const AuditOptions& options, const audit::RecordQuery& query) {
  const std::string target = parameters_of(query, options.query);
  std::string after;
  for (;;) {
    const auto reply = ask_gateway(
        "audit", options.gateway,
        {.target = target + (after.empty() ? after : "&after=" + control::api::escaped(after))});
    if (reply.code != ExitCode::ok) return reply.code;
    const auto page = nlohmann::ordered_json::parse(reply.body);
    for (const auto& record : page["records"]) {
      fmt::print("{}\n", options.json ? record.dump() : record_line(record));
    }
    if (std::fflush(stdout) != 0) return ExitCode::failed;
    after = page.value("next", std::string());
    if (page.value("has_more", false)) continue;
    if (!options.follow) return ExitCode::ok;
    std::this_thread::sleep_for(ask_pause);
  }
}

}  // namespace

ExitCode perform(const AuditOptions& options) {
  auto query = parse_query(options.query, wall_now());
  if (!query) return complain("audit", query.error().message, ExitCode::usage);
  if (options.gateway.is_said()) return ask(options, *query);
  std::string directory = options.directory;
  if (directory.empty()) {
    const auto settings = load_settings("audit", options.gateway.configuration);
    if (!settings) return ExitCode::bad_configuration;
    directory = settings->audit.directory;
  }
  audit::RecordFilter filter(std::move(*query));
  Printer printer(options.json);
  const auto next = audit::search(
      directory, filter,
      {.found = [&printer](ByteView record, audit::RecordPlace) { return printer.print(record); },
       .index_note = [](const std::string& note) { complain("audit", note, ExitCode::ok); }});
  if (!next) return complain("audit", next.error().message, ExitCode::failed);
  if (!printer.fault().empty()) return complain("audit", printer.fault(), ExitCode::failed);
  if (options.follow) return follow(directory, next->next, filter, printer);
  return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace sluice::cli
