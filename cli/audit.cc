// sluice audit: search the log, follow it, print it.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "audit/reader.h"
#include "audit/search.h"
#include "audit/verify.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/times.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds follow_pause{200};

/// A field as text; nothing when it is absent.
std::string field(const nlohmann::json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// A number that records leave out when it is 0.
std::uint64_t count(const nlohmann::json& record, const char* key) {
  return record.value(key, std::uint64_t{0});
}

std::string masks_of(const nlohmann::json& record) {
  std::string text;
  if (const auto masks = record.find("masks"); masks != record.end()) {
    for (const auto& mask : *masks) {
      text += fmt::format(" {}×{}", field(mask, "rule"), field(mask, "count"));
    }
  }
  return text;
}

/// HTTP has a status, a database a word.
std::string end_of(const nlohmann::json& record) {
  return field(record, record.contains("status") ? "status" : "result");
}

std::string rows_of(const nlohmann::json& record) {
  std::string text;
  if (const auto rows = count(record, "rows_in"); rows != 0)
    text += fmt::format(", {} rows in", rows);
  if (const auto rows = count(record, "rows_out"); rows != 0) {
    text += fmt::format(", {} rows out", rows);
  }
  return text;
}

/// Which rule ended it before its end.
std::string cause_of(const nlohmann::json& record) {
  const std::string rule = field(record, "rule");
  return rule.empty() ? rule : fmt::format(" by rule \"{}\": {}", rule, field(record, "reason"));
}

std::string recording_of(const nlohmann::json& record) {
  const std::string name = field(record, "recording");
  return name.empty() ? name : fmt::format(", recording {}", name);
}

/// "tool for agent for ann"
std::string who_of(const nlohmann::json& record) {
  std::string who;
  if (const auto chain = record.find("delegation"); chain != record.end()) {
    for (const auto& actor : *chain) who += field(actor, "subject") + " for ";
  }
  const std::string subject = field(record, "subject");
  return who + (subject.empty() ? "(unknown)" : subject);
}

/// One line for people; --json has everything.
std::string line_of(const nlohmann::json& record) {
  const std::string phase = field(record, "phase");
  const std::string time = field(record, "time").substr(0, 23);
  const std::string name = fmt::format("{}.{}.{}", field(record, "worker"),
                                       field(record, "session"), field(record, "operation"));
  if (phase == "intent") {
    const std::string reason = field(record, "reason");
    return fmt::format("{} {:<8} {:<5} {} {} {} → {} by rule \"{}\"{}{}{}", time, name,
                       field(record, "ruling"), who_of(record), field(record, "verb"),
                       field(record, "resource"), field(record, "target"), field(record, "rule"),
                       reason.empty() ? "" : ": ", reason, recording_of(record));
  }
  if (phase == "outcome") {
    const std::string masks = masks_of(record);
    return fmt::format("{} {:<8} done  {} {} B in, {} B out{}{}{}{}", time, name, end_of(record),
                       count(record, "bytes_in"), count(record, "bytes_out"), rows_of(record),
                       masks.empty() ? "" : ", masked", masks, cause_of(record));
  }
  if (phase == "approval") {
    const std::string reason = field(record, record.contains("reason") ? "reason" : "detail");
    return fmt::format("{} {:<8} {} by {}: {} → {}{}{}", time, field(record, "approval"),
                       field(record, "event"), field(record, "subject"), field(record, "resource"),
                       field(record, "target"), reason.empty() ? "" : ": ", reason);
  }
  std::string detail = field(record, "detail");
  std::ranges::replace(detail, '\n', ' ');  // a seal has lines
  return fmt::format("{} {:<8} {} {} {}{}", time, phase, field(record, "event"),
                     field(record, "peer"), detail, recording_of(record));
}

class Printer {
 public:
  explicit Printer(bool as_json) : as_json_(as_json) {}

  /// False when it is no record: fault() says why.
  bool print(ByteView bytes) {
    const auto text = audit::to_json(bytes);
    if (text)
      fmt::print("{}\n", as_json_ ? *text : line_of(nlohmann::json::parse(*text)));
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

}  // namespace

ExitCode perform(const AuditOptions& options) {
  std::string directory = options.directory;
  if (directory.empty()) {
    const auto settings = load_settings("audit", options.configuration);
    if (!settings) return ExitCode::bad_configuration;
    directory = settings->audit.directory;
  }
  auto query = parse_query(options.query, wall_now());
  if (!query) return complain("audit", query.error().message, ExitCode::usage);
  audit::RecordFilter filter(std::move(*query));
  Printer printer(options.json);
  const auto next = audit::search(
      directory, filter,
      {.found = [&printer](ByteView record) { return printer.print(record); },
       .index_note = [](const std::string& note) { complain("audit", note, ExitCode::ok); }});
  if (!next) return complain("audit", next.error().message, ExitCode::failed);
  if (!printer.fault().empty()) return complain("audit", printer.fault(), ExitCode::failed);
  if (options.follow) return follow(directory, *next, filter, printer);
  return std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace sluice::cli
