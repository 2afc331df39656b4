#include "evidence/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text_codec.h"

namespace sluice::evidence {
namespace {

constexpr std::size_t lines_max = 1000;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// A member as text; what is neither text nor there is shown as JSON, or not at all.
std::string member(const nlohmann::json& record, const char* name) {
  const auto found = record.find(name);
  if (found == record.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string table_html(const std::vector<std::string>& heads,
                       const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "<p>None.</p>\n";
  std::string out = "<table><tr>";
  for (const std::string& head : heads) out += fmt::format("<th>{}</th>", escaped(head));
  out += "</tr>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += fmt::format("<td>{}</td>", escaped(cell));
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::vector<std::vector<std::string>> counts_table(
    const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::vector<std::string>> out;
  for (const auto& [name, count] : counts) out.push_back({name, std::to_string(count)});
  return out;
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
    "that only state held elsewhere helps: compare size and root with what you saw earlier, and "
    "verify with a key that did not come with this package.</p>\n";

}  // namespace

void Report::add(const std::string& text) {
  const auto record = nlohmann::json::parse(text);
  const std::string phase = member(record, "phase");
  const std::string time = member(record, "time");
  if (phase == "intent") {
    const std::string ruling = member(record, "ruling");
    Access& access =
        access_[{member(record, "subject"), member(record, "target"), member(record, "verb")}];
    ++(ruling == "allow" ? access.allowed : ruling == "hold" ? access.held : access.denied);
    if (ruling == "deny" && ++denials_count_ <= lines_max) {
      denials_.push_back(
          {time,
           {member(record, "subject"), member(record, "target"), member(record, "verb"),
            member(record, "resource"), member(record, "rule"), member(record, "reason")}});
    }
  } else if (phase == "outcome") {
    ++results_[member(record, "result")];
    if (const auto masks = record.find("masks"); masks != record.end()) {
      for (const auto& mask : *masks) {
        masks_[member(mask, "rule")] += mask.value("count", std::uint64_t{0});
      }
    }
  } else if (phase == "heartbeat") {
    Beats& beats = beats_[member(record, "epoch")];
    const auto now_ns = record.at("monotonic_ns").get<std::uint64_t>();
    if (beats.count++ != 0) {
      beats.longest_gap_ns = std::max(beats.longest_gap_ns, now_ns - beats.last_ns);
    }
    beats.last_ns = now_ns;
    if (!member(record, "detail").starts_with("clock: synchronised")) ++beats.unsure;
  } else if (phase == "control" && ++events_count_ <= lines_max) {
    events_.push_back({time, {member(record, "event"), member(record, "detail")}});
  }
}

Report::Table Report::access_table() const {
  Table out;
  for (const auto& [who, access] : access_) {
    const auto& [subject, target, verb] = who;
    out.push_back({subject.empty() ? "(unknown)" : subject, target, verb,
                   std::to_string(access.allowed), std::to_string(access.denied),
                   std::to_string(access.held)});
  }
  return out;
}

Report::Table Report::beats_table() const {
  Table out;
  for (const auto& [epoch, beats] : beats_) {
    out.push_back({epoch, std::to_string(beats.count),
                   fmt::format("{:.1f} s", static_cast<double>(beats.longest_gap_ns) / 1e9),
                   std::to_string(beats.unsure)});
  }
  return out;
}

Report::Table Report::lines_table(const std::vector<Line>& lines, std::uint64_t count) {
  Table out;
  for (const Line& line : lines) {
    out.push_back({line.time});
    out.back().insert(out.back().end(), line.words.begin(), line.words.end());
  }
  if (count > lines.size()) out.push_back({fmt::format("… and {} more", count - lines.size())});
  return out;
}

std::string Report::html(const Manifest& manifest) const {
  std::string filter;
  for (const auto& [name, value] : manifest.filter) filter += fmt::format("{} = {}; ", name, value);
  const Table facts{
      {"Log", manifest.origin},
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
      {"Package made", manifest.made}};
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<title>Evidence from {0}</title>\n<style>{1}</style></head><body>\n"
      "<h1>Evidence from {0}</h1>\n",
      escaped(manifest.origin), style);
  out += table_html({"", ""}, facts);
  out += law;
  const auto section = [&out](std::string_view title, std::string_view controls,
                              const std::string& table) {
    out += fmt::format("<h2>{}</h2>\n<p>{}</p>\n{}", title, controls, table);
  };
  section(
      "Who accessed what", "ISO 27001 A.8.15; SOC 2 CC6.1; PCI DSS 10.2.1.1",
      table_html({"Subject", "Target", "Operation", "Allowed", "Denied", "Held"}, access_table()));
  section("Denials", "ISO 27001 A.8.16; SOC 2 CC7.2; PCI DSS 10.2.1.4",
          table_html({"Time", "Subject", "Target", "Operation", "Resource", "Rule", "Reason"},
                     lines_table(denials_, denials_count_)));
  section("Values masked, by rule", "SOC 2 CC6.7; PCI DSS 3.4",
          table_html({"Rule", "Values"}, counts_table(masks_)));
  section("How operations ended", "ISO 27001 A.8.15; PCI DSS 10.2.2",
          table_html({"Result", "Operations"}, counts_table(results_)));
  section("The gateway and its log",
          "ISO 27001 A.8.15, A.8.17; SOC 2 CC7.3; PCI DSS 10.2.1.6, 10.3",
          table_html({"Time", "Event", "Detail"}, lines_table(events_, events_count_)));
  section("Heartbeats, by start of the gateway", "ISO 27001 A.8.15, A.8.17; PCI DSS 10.6, 10.7",
          table_html({"Epoch", "Heartbeats", "Longest silence", "With a clock not synchronised"},
                     beats_table()));
  return out + "</body></html>\n";
}

}  // namespace sluice::evidence
