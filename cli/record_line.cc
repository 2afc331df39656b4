#include "cli/record_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace sluice::cli {
namespace {

/// A field as text; nothing when it is absent.
std::string field(const nlohmann::ordered_json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// A number that records leave out when it is 0.
std::uint64_t count(const nlohmann::ordered_json& record, const char* key) {
  return record.value(key, std::uint64_t{0});
}

std::string masks_of(const nlohmann::ordered_json& record) {
  std::string text;
  if (const auto masks = record.find("masks"); masks != record.end()) {
    for (const auto& mask : *masks) {
      text += fmt::format(" {}×{}", field(mask, "rule"), field(mask, "count"));
    }
  }
  return text;
}

/// HTTP has a status, a database a word.
std::string end_of(const nlohmann::ordered_json& record) {
  return field(record, record.contains("status") ? "status" : "result");
}

std::string rows_of(const nlohmann::ordered_json& record) {
  std::string text;
  if (const auto rows = count(record, "rows_in"); rows != 0)
    text += fmt::format(", {} rows in", rows);
  if (const auto rows = count(record, "rows_out"); rows != 0) {
    text += fmt::format(", {} rows out", rows);
  }
  return text;
}

/// Which rule ended it before its end.
std::string cause_of(const nlohmann::ordered_json& record) {
  const std::string rule = field(record, "rule");
  return rule.empty() ? rule : fmt::format(" by rule \"{}\": {}", rule, field(record, "reason"));
}

std::string recording_of(const nlohmann::ordered_json& record) {
  const std::string name = field(record, "recording");
  return name.empty() ? name : fmt::format(", recording {}", name);
}

/// "tool for agent for ann"
std::string who_of(const nlohmann::ordered_json& record) {
  std::string who;
  if (const auto chain = record.find("delegation"); chain != record.end()) {
    for (const auto& actor : *chain) who += field(actor, "subject") + " for ";
  }
  const std::string subject = field(record, "subject");
  return who + (subject.empty() ? "(unknown)" : subject);
}

}  // namespace

std::string record_line(const nlohmann::ordered_json& record) {
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

}  // namespace sluice::cli
