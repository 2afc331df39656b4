// sluice audit: search the log, follow it, print it.
#include "audit/verify.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/timestamp.h"
#include "cli/audit_filter.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/times.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds follow_pause{200};

/// The bound as the log writes times: UTC with nine decimals, so that text order is time order.
Result<std::string> bound(const std::string& text, WallTime now) {
  if (text.empty()) return std::string();
  const auto time = parse_time(text, now, false);
  if (!time) return tl::unexpected(time.error());
  return timestamp_text(*time, 9);
}

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

/// One line for people; --json has everything.
std::string line_of(const nlohmann::json& record) {
  const std::string phase = field(record, "phase");
  const std::string time = field(record, "time").substr(0, 23);
  const std::string name = fmt::format("{}.{}.{}", field(record, "worker"),
                                       field(record, "session"), field(record, "operation"));
  if (phase == "intent") {
    const std::string subject = field(record, "subject");
    const std::string reason = field(record, "reason");
    return fmt::format("{} {:<8} {:<5} {} {} {} → {} by rule \"{}\"{}{}", time, name,
                       field(record, "ruling"), subject.empty() ? "(unknown)" : subject,
                       field(record, "verb"), field(record, "resource"), field(record, "target"),
                       field(record, "rule"), reason.empty() ? "" : ": ", reason);
  }
  if (phase == "outcome") {
    const std::string masks = masks_of(record);
    return fmt::format("{} {:<8} done  {} {} B in, {} B out{}{}{}{}", time, name, end_of(record),
                       count(record, "bytes_in"), count(record, "bytes_out"), rows_of(record),
                       masks.empty() ? "" : ", masked", masks, cause_of(record));
  }
  return fmt::format("{} {:<8} {} {} {}", time, phase, field(record, "event"),
                     field(record, "peer"), field(record, "detail"));
}

}  // namespace

ExitCode perform(const AuditOptions& options) {
  std::string directory = options.directory;
  if (directory.empty()) {
    const auto settings = load_settings("audit", options.configuration);
    if (!settings) return ExitCode::bad_configuration;
    directory = settings->audit.directory;
  }
  const WallTime now = wall_now();
  auto since = bound(options.since, now);
  if (!since) return complain("audit", since.error().message, ExitCode::usage);
  auto until = bound(options.until, now);
  if (!until) return complain("audit", until.error().message, ExitCode::usage);

  AuditFilter filter;
  filter.since = std::move(*since);
  filter.until = std::move(*until);
  filter.record = options.record;
  filter.principal = options.principal;
  filter.target = options.target;
  filter.ruling = options.ruling;

  std::uint64_t next = 0;
  std::string fault;
  for (;;) {
    const auto read =
        audit::read_records(directory, next, [&](std::uint64_t index, ByteView bytes) {
          const auto text = audit::to_json(bytes);
          if (!text) {
            fault = fmt::format("record {}: {}", index, text.error().message);
            return false;
          }
          const auto record = nlohmann::json::parse(*text);
          if (filter.wants(record)) fmt::print("{}\n", options.json ? *text : line_of(record));
          return true;
        });
    if (!read) return complain("audit", read.error().message, ExitCode::failed);
    if (!fault.empty()) return complain("audit", fault, ExitCode::failed);
    next = *read;
    if (std::fflush(stdout) != 0) return ExitCode::failed;  // the reader of our pipe is gone
    if (!options.follow) return ExitCode::ok;
    std::this_thread::sleep_for(follow_pause);
  }
}

}  // namespace sluice::cli
