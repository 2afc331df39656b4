#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/top_frame.h"
#include "control/shown_text.h"

namespace sluice::cli {
namespace {

using control::shown_text;

enum class Mark : std::uint8_t { none, title, look, alarm };

struct Line {
  std::string text;
  Mark mark = Mark::none;
};

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !continues_character(c); }));
}

/// The beginning of it, of so many characters.
std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    if (!continues_character(text[bytes]) && columns-- == 0) break;
    ++bytes;
  }
  return text.substr(0, bytes);
}

/// Cut or filled up to so many characters.
std::string column(std::string_view text, std::size_t columns) {
  const std::string_view shown = cut(text, columns);
  return std::string(shown) + std::string(columns - width_of(shown), ' ');
}

/// A few digits that say something: "0.25", "17", "12.3k".
std::string amount(double value) {
  if (value >= 1e9) return fmt::format("{:.1f}G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  const bool is_whole = value == static_cast<double>(static_cast<int>(value));
  return value < 10 && !is_whole ? fmt::format("{:.2g}", value) : fmt::format("{:.0f}", value);
}

std::string time_text(double seconds) {
  if (seconds <= 0) return "–";
  if (seconds < 1e-3) return fmt::format("{:.0f} µs", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.2f} s", seconds);
}

double value_in(const std::map<std::string, double>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

void add_head(std::vector<Line>& out, const TopFrame& frame, WallTime time) {
  const Figures& now = frame.now;
  const double uptime_s = static_cast<double>(time.ns) / 1e9 - now.started_s;
  out.push_back(
      {fmt::format("sluice {}  {}  configuration {:.0f}, up {:.0f} min",
                   timestamp_text(time).substr(11, 8), now.is_draining ? "DRAINING" : "running",
                   now.configuration, std::max(uptime_s, 0.0) / 60),
       now.is_draining ? Mark::alarm : Mark::title});
  if (now.has_log_failed) {
    out.push_back({"THE AUDIT LOG CANNOT BE WRITTEN: nothing is released", Mark::alarm});
  }
  std::string rulings;
  double refused = 0;
  for (const char* ruling : {"allowed", "denied", "unauthenticated", "malformed", "unavailable"}) {
    const double rate = value_in(frame.rulings, ruling);
    rulings += fmt::format("  {} {}", amount(rate), ruling);
    if (ruling != std::string_view("allowed")) refused += rate;
  }
  out.push_back({"operations/s " + rulings, refused > 0 ? Mark::look : Mark::none});
  out.push_back({fmt::format("connections    {} of clients  {} to targets", amount(now.clients),
                             amount(now.upstreams))});
  out.push_back({fmt::format("bytes/s        {} in  {} out    masked/s {}    records/s {}",
                             amount(frame.bytes_in), amount(frame.bytes_out), amount(frame.masked),
                             amount(frame.records))});
  std::string held;
  for (const auto& [result, count] : frame.held) {
    if (count > 0) held += fmt::format("  {} {}", amount(count), result);
  }
  out.push_back({fmt::format("held           {} waiting{}", amount(now.holds), held),
                 now.holds > 0 ? Mark::look : Mark::none});
}

void add_targets(std::vector<Line>& out, const TopFrame& frame) {
  out.push_back({""});
  out.push_back(
      {column("target", 28) + fmt::format("{:>12}{:>12}{:>12}", "operations/s", "p50", "p99"),
       Mark::title});
  for (const TargetRow& row : frame.targets) {
    // Bytes are not columns: "µ" has two of them.
    const auto right = [](const std::string& text) {
      return std::string(12 - std::min<std::size_t>(width_of(text), 12), ' ') + text;
    };
    out.push_back({column(shown_text(row.target), 28) + right(amount(row.per_second)) +
                   right(time_text(row.p50_s)) + right(time_text(row.p99_s))});
  }
}

void add_denials(std::vector<Line>& out, const TopFrame& frame) {
  if (frame.denials.empty()) return;
  out.push_back({""});
  out.push_back({column("denied on", 28) + fmt::format("{:>12}{:>12}  rule", "denied/s", "in all"),
                 Mark::title});
  for (const DenialRow& row : frame.denials) {
    out.push_back({column(shown_text(row.target), 28) +
                       fmt::format("{:>12}{:>12}  {}", amount(row.per_second), amount(row.total),
                                   shown_text(row.rule)),
                   row.per_second > 0 ? Mark::look : Mark::none});
  }
}

std::string_view begin_of(Mark mark) {
  switch (mark) {
    case Mark::title:
      return "\x1b[1m";
    case Mark::look:
      return "\x1b[33m";
    case Mark::alarm:
      return "\x1b[1;31m";
    case Mark::none:
      break;
  }
  return "";
}

}  // namespace

std::string top_text(const TopFrame& frame, WallTime time, std::size_t columns, std::size_t rows,
                     bool colors) {
  std::vector<Line> lines;
  add_head(lines, frame, time);
  add_targets(lines, frame);
  add_denials(lines, frame);
  if (lines.size() > rows) lines.resize(rows);
  std::string out;
  for (const Line& line : lines) {
    const bool is_marked = colors && line.mark != Mark::none;
    if (is_marked) out += begin_of(line.mark);
    out += cut(line.text, columns);
    if (is_marked) out += "\x1b[0m";
    out += '\n';
  }
  return out;
}

std::string top_json(const TopFrame& frame, WallTime time) {
  nlohmann::ordered_json page{
      {"time", timestamp_text(time)},
      {"seconds", frame.seconds},
      {"state", frame.now.is_draining ? "draining" : "running"},
      {"audit_failed", frame.now.has_log_failed},
      {"configuration", frame.now.configuration},
      {"connections", {{"clients", frame.now.clients}, {"upstreams", frame.now.upstreams}}},
      {"operations_per_second", frame.rulings},
      {"bytes_per_second", {{"in", frame.bytes_in}, {"out", frame.bytes_out}}},
      {"masked_per_second", frame.masked},
      {"records_per_second", frame.records},
      {"held", {{"waiting", frame.now.holds}, {"ended", frame.held}}},
      {"targets", nlohmann::ordered_json::array()},
      {"denials", nlohmann::ordered_json::array()}};
  for (const TargetRow& row : frame.targets) {
    page["targets"].push_back({{"target", row.target},
                               {"operations_per_second", row.per_second},
                               {"p50_us", row.p50_s * 1e6},
                               {"p99_us", row.p99_s * 1e6}});
  }
  for (const DenialRow& row : frame.denials) {
    page["denials"].push_back({{"target", row.target},
                               {"rule", row.rule},
                               {"per_second", row.per_second},
                               {"total", row.total}});
  }
  return page.dump();
}

}  // namespace sluice::cli
