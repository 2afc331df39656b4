#include "evidence/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text_codec.h"
#include "base/timestamp.h"

namespace sluice::evidence {
namespace {

using nlohmann::json;

/// A member as text; what is neither text nor there is shown as JSON, or not at all.
std::string member(const json& record, const char* name) {
  const auto found = record.find(name);
  if (found == record.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

TableRows count_rows(const std::map<std::string, std::uint64_t>& counts) {
  TableRows out;
  for (const auto& [name, count] : counts) out.push_back({name, std::to_string(count)});
  return out;
}

std::vector<std::string> operation_row(const json& record) {
  std::vector<std::string> row;
  for (const char* name : {"time", "subject", "target", "verb", "resource", "rule", "reason"}) {
    row.push_back(member(record, name));
  }
  return row;
}

bool is_change(std::string_view event) {
  return event == "started" || event == "reloaded";
}

/// What went under retention, and what was kept from it.
bool is_retention(std::string_view event) {
  return event == "segment-removed" || event == "recording-removed" ||
         event == "legal-hold-added" || event == "legal-hold-released" ||
         event.starts_with("retention-");
}

/// What may have left a hole, or kept somebody else from seeing the log.
bool is_gap(std::string_view event) {
  constexpr std::array<std::string_view, 7> gaps{
      "log-cut",     "log-recovered",   "timestamp-failed", "export-stopped", "cosignature-missing",
      "export-lags", "export-caught-up"};
  return std::ranges::find(gaps, event) != gaps.end();
}

constexpr std::string_view style =
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em}"
    "th,td{border:1px solid #bbb;padding:.2em .6em;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}th{background:#eee}code{overflow-wrap:anywhere}";

constexpr std::string_view law =
    "<h2>What this proves, and what not</h2>\n<ul>\n"
    "<li><b>Integrity</b>: nothing in these records was changed since the log was signed. "
    "<code>sluice verify</code> and the <code>verify.py</code> beside this page show it.</li>\n"
    "<li><b>Completeness</b>: no record of the range is missing between the two ends given here. "
    "Hash tree and dense sequence numbers show it.</li>\n"
    "<li><b>Truth</b>: that what was recorded is what happened. No log can prove that.</li>\n"
    "</ul>\n<p>Someone with root on the gateway holds its key and could sign another past. Against "
    "that only state held elsewhere helps: what witnesses and time-stamp authorities saw, where "
    "this package has their word; else compare size and root with what you saw earlier. Verify "
    "with keys that did not come with this package.</p>\n";

/// What the controls ask for, and where it is on this page.
const TableRows& controls() {
  static const TableRows rows{
      {"ISO/IEC 27001 A.8.15 Logging", "events recorded, kept and protected",
       "all of this page; integrity by sluice verify"},
      {"ISO/IEC 27001 A.8.16 Monitoring", "what is out of the ordinary",
       "Denials; Clients that were not let in; Gaps"},
      {"ISO/IEC 27001 A.8.17 Clock synchronisation", "times that can be believed",
       "Starts and heartbeats; timestamps"},
      {"SOC 2 CC6.1, CC6.2, CC6.3", "access by who may, under rules",
       "Who accessed what; Denials; Policy and key changes"},
      {"SOC 2 CC6.6", "who comes from outside is let in or not", "Clients that were not let in"},
      {"SOC 2 CC6.7", "data goes only where it may", "Values masked, by rule"},
      {"SOC 2 CC7.2, CC7.3", "events are noticed and judged",
       "Denials; Gaps; The gateway and its log"},
      {"PCI DSS 10.2.1.1, 10.2.1.2", "each access by a user, administrators' too",
       "Who accessed what; every operation is in records.cbor"},
      {"PCI DSS 10.2.1.3", "access to audit logs",
       "not here: the operating system's log of who read the files"},
      {"PCI DSS 10.2.1.4", "attempts that were invalid", "Denials; Clients that were not let in"},
      {"PCI DSS 10.2.1.5", "changes of credentials and of who may do what",
       "Policy and key changes; policies/"},
      {"PCI DSS 10.2.1.6", "audit logs started, stopped, paused",
       "Starts and heartbeats; Gaps; The gateway and its log"},
      {"PCI DSS 10.2.1.7", "system-level objects made and removed",
       "statements that did so, under Who accessed what"},
      {"PCI DSS 10.2.2", "who, what, when, how it ended, where from, on what",
       "the members of each record; How operations ended"},
      {"PCI DSS 10.3", "logs cannot be changed", "sluice verify; witnesses; timestamps"},
      {"PCI DSS 10.4", "logs are reviewed", "this page is made to be"},
      {"PCI DSS 10.5", "logs are kept for a year",
       "how far the log reaches back: Records, From; Retention and legal holds"},
      {"PCI DSS 10.6", "clocks are synchronised", "Starts and heartbeats"},
      {"PCI DSS 10.7", "failures of logging are found", "Gaps; Starts and heartbeats"}};
  return rows;
}

}  // namespace

void Report::add(const std::string& text) {
  const auto record = json::parse(text);
  const std::string phase = member(record, "phase");
  if (phase == "intent") add_intent(record);
  if (phase == "outcome") add_outcome(record);
  if (phase == "session") add_session(record);
  if (phase == "heartbeat") add_heartbeat(record);
  if (phase == "control") add_event(record);
  if (phase == "approval") add_approval(record);
  if (phase == "gap") {
    gaps_.add({member(record, "time"), member(record, "event"), member(record, "detail")});
  }
  if (phase == "discontinuity") {
    gaps_.add({member(record, "time"), member(record, "event"),
               fmt::format("behind the log in {}: {}; {}", member(record, "resource"),
                           member(record, "result"), member(record, "reason"))});
  }
}

void Report::add_intent(const json& record) {
  const std::string ruling = member(record, "ruling");
  Access& access =
      access_[{member(record, "subject"), member(record, "target"), member(record, "verb")}];
  ++(ruling == "allow" ? access.allowed : ruling == "hold" ? access.held : access.denied);
  if (ruling == "deny") denials_.add(operation_row(record));
  if (ruling == "hold") held_.add(operation_row(record));
  Policy& policy = policies_[member(record, "policy")];
  if (policy.operations++ == 0) policy.first = member(record, "time");
  policy.last = member(record, "time");
}

void Report::add_outcome(const json& record) {
  ++results_[member(record, "result")];
  const auto masks = record.find("masks");
  if (masks == record.end()) return;
  for (const auto& mask : *masks) {
    masks_[member(mask, "rule")] += mask.value("count", std::uint64_t{0});
  }
}

void Report::add_session(const json& record) {
  if (member(record, "event") != "refused") return;
  refused_.add({member(record, "time"), member(record, "peer"), member(record, "subject"),
                member(record, "target"), member(record, "detail")});
}

void Report::add_heartbeat(const json& record) {
  Run& run = runs_[member(record, "epoch")];
  const auto now_ns = record.at("monotonic_ns").get<std::uint64_t>();
  if (run.beats++ != 0)
    run.longest_gap_ns = std::max(run.longest_gap_ns, now_ns - run.last_beat_ns);
  run.last_beat_ns = now_ns;
  if (!member(record, "detail").starts_with("clock: synchronised")) ++run.beats_unsure;
}

void Report::add_approval(const json& record) {
  const std::string reason = member(record, "reason");
  approvals_.add({member(record, "time"), member(record, "approval"), member(record, "event"),
                  member(record, "subject"), member(record, "peer"), member(record, "target"),
                  member(record, "resource"), reason.empty() ? member(record, "detail") : reason});
}

void Report::add_event(const json& record) {
  const std::string time = member(record, "time");
  const std::string event = member(record, "event");
  if (event == "log-opened") runs_[member(record, "epoch")].opened = time;
  if (event == "log-closed") runs_[member(record, "epoch")].closed = time;
  if (is_change(event)) {
    changes_.add({time, event, member(record, "detail"), member(record, "policy")});
  } else {
    FirstRows& rows = is_gap(event) ? gaps_ : is_retention(event) ? retention_ : events_;
    rows.add({time, event, member(record, "detail")});
  }
}

TableRows Report::access_rows() const {
  TableRows out;
  for (const auto& [who, access] : access_) {
    const auto& [subject, target, verb] = who;
    out.push_back({subject.empty() ? "(unknown)" : subject, target, verb,
                   std::to_string(access.allowed), std::to_string(access.denied),
                   std::to_string(access.held)});
  }
  return out;
}

TableRows Report::policy_rows() const {
  TableRows out;
  for (const auto& [digest, policy] : policies_) {
    out.push_back({digest, policy.first, policy.last, std::to_string(policy.operations)});
  }
  return out;
}

TableRows Report::run_rows() const {
  TableRows out;
  for (const auto& [epoch, run] : runs_) {
    out.push_back({epoch, run.opened, run.closed, std::to_string(run.beats),
                   fmt::format("{:.1f} s", static_cast<double>(run.longest_gap_ns) / 1e9),
                   std::to_string(run.beats_unsure)});
  }
  return out;
}

std::string Report::facts(const Manifest& manifest) const {
  std::string filter;
  for (const auto& [name, value] : manifest.filter) filter += fmt::format("{} = {}; ", name, value);
  std::string seen = "none that saw any of the range";
  if (manifest.cosigned) {
    seen = fmt::format("up to record {}", manifest.cosigned->log_records);
    for (const SeenBy& one : witnesses_) {
      seen += fmt::format("; {} at {}", one.witness, timestamp_text(one.when));
    }
  }
  return html_table(
      {"", ""},
      {{"Log", manifest.origin},
       {"From", manifest.from.empty() ? "the log's beginning" : manifest.from},
       {"Until, not included", manifest.until.empty() ? "the log's end" : manifest.until},
       {"Kind", manifest.is_filtered()
                    ? "filtered: of the range, only records with " + filter +
                          "are shown; of the others their hashes"
                    : "complete: every record of the range, and one on either side"},
       {"Records", fmt::format("{} to {} of {}, {} shown", manifest.first_record,
                               manifest.end_record, manifest.log_records, manifest.records_shown)},
       {"Root of the log", to_hex(manifest.log_root)},
       {"Key", manifest.key},
       {"Witnesses", seen},
       {"Timestamps", std::to_string(manifest.timestamps.size())},
       {"Package made", manifest.made}});
}

std::string Report::html(const Manifest& manifest) const {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<title>Evidence from {0}</title>\n<style>{1}</style></head><body>\n"
      "<h1>Evidence from {0}</h1>\n",
      html_escaped(manifest.origin), style);
  out += facts(manifest);
  out += law;
  const auto section = [&out](std::string_view title, std::string_view controls,
                              const std::string& table) {
    out += fmt::format("<h2>{}</h2>\n<p>{}</p>\n{}", title, controls, table);
  };
  const std::vector<std::string> operation{"Time",     "Subject", "Target", "Operation",
                                           "Resource", "Rule",    "Reason"};
  const std::vector<std::string> event{"Time", "Event", "Detail"};
  section(
      "Who accessed what", "ISO 27001 A.8.15; SOC 2 CC6.1; PCI DSS 10.2.1.1, 10.2.1.2",
      html_table({"Subject", "Target", "Operation", "Allowed", "Denied", "Held"}, access_rows()));
  section("Denials", "ISO 27001 A.8.16; SOC 2 CC6.1, CC7.2; PCI DSS 10.2.1.4",
          html_table(operation, denials_.rows()));
  section("Clients that were not let in", "ISO 27001 A.8.16; SOC 2 CC6.6; PCI DSS 10.2.1.4",
          html_table({"Time", "Peer", "Subject", "Target", "Why"}, refused_.rows()));
  section("Operations held for approval", "ISO 27001 A.8.15; SOC 2 CC6.3; PCI DSS 10.2.1.2",
          html_table(operation, held_.rows()));
  section("Approvals", "ISO 27001 A.8.15; SOC 2 CC6.1, CC6.3; PCI DSS 10.2.1.2",
          html_table({"Time", "Request", "Event", "Who", "From", "Target", "Resource", "Why"},
                     approvals_.rows()));
  section("Values masked, by rule", "SOC 2 CC6.7; PCI DSS 3.4",
          html_table({"Rule", "Values"}, count_rows(masks_)));
  section("How operations ended", "ISO 27001 A.8.15; PCI DSS 10.2.2",
          html_table({"Result", "Operations"}, count_rows(results_)));
  section(
      "Policies that operations were judged by", "SOC 2 CC6.1; PCI DSS 10.2.1.5",
      html_table({"Digest, and file in policies/", "First", "Last", "Operations"}, policy_rows()));
  section("Policy and key changes", "SOC 2 CC6.2, CC6.3; PCI DSS 10.2.1.5",
          html_table({"Time", "Event", "Detail", "Policy"}, changes_.rows()));
  section("Gaps", "ISO 27001 A.8.15, A.8.16; SOC 2 CC7.3; PCI DSS 10.2.1.6, 10.7",
          html_table(event, gaps_.rows()));
  section("Retention and legal holds",
          "What was removed from the log, how it is proved to have been there, and what was kept "
          "from removal. ISO 27001 A.8.15; PCI DSS 10.5",
          html_table(event, retention_.rows()));
  section("Starts and heartbeats",
          "A start without an end was killed or lost power, or ended outside of the range. ISO "
          "27001 A.8.15, A.8.17; PCI DSS 10.2.1.6, 10.6, 10.7",
          html_table({"Epoch", "Log opened", "Log closed", "Heartbeats", "Longest silence",
                      "With a clock not synchronised"},
                     run_rows()));
  section("The gateway and its log", "ISO 27001 A.8.15; SOC 2 CC7.3; PCI DSS 10.2.1.6, 10.3",
          html_table(event, events_.rows()));
  section("Controls", "What they ask for, and where it is.",
          html_table({"Control", "Asks for", "Here"}, controls()));
  return out + "</body></html>\n";
}

}  // namespace sluice::evidence
