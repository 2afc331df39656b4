#include "load/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "load/plot.h"

namespace sluice::load {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ink: #1d2733; --faint: #8a96a3; --rule: #d9dee4; --page: #fff;
  --c0: #1f6feb; --c1: #d9480f; --c2: #7b3fe4; --c3: #87919c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --faint: #8a96a3; --rule: #303a45;
  --page: #12171d; --c0: #6cb0ff; --c1: #ff9a5c; --c2: #b794ff; --c3: #a0abb5; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } svg { width: 100%; margin: 1rem 0; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
td, th { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid var(--rule);
  font-weight: normal; } th { color: var(--faint); }
td:first-child, th:first-child { text-align: left; }
.facts td { text-align: left; overflow-wrap: anywhere; } .facts td:first-child { color: var(--faint); }
.bad { color: var(--c1); font-weight: 600; }
polyline { fill: none; stroke-width: 1.6; } .grid { stroke: var(--rule); }
text { font-size: 12px; fill: var(--faint); } .title { fill: var(--ink); font-size: 14px; }
.y, .legend { text-anchor: end; } .x { text-anchor: middle; }
.line0 { stroke: var(--c0); } .line1 { stroke: var(--c1); } .line2 { stroke: var(--c2); }
.line3 { stroke: var(--c3); } .text0 { fill: var(--c0); } .text1 { fill: var(--c1); }
.text2 { fill: var(--c2); } .text3 { fill: var(--c3); }
)";

constexpr std::array<double, 6> quantiles{0.5, 0.75, 0.9, 0.99, 0.999, 0.9999};

double us(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) / 1e3;
}

/// Even on the scale of nines: 0, 0.9, 0.99, …; as far as there are samples to say.
Plot latency_by_percentile(const Report& report) {
  Plot plot{.title = "Latency by percentile", .unit = "µs", .lines = {}, .x_ticks = {}};
  const auto count = static_cast<double>(report.latency.count());
  const double nines = std::clamp(std::ceil(std::log10(std::max(count, 1.0))), 1.0, 7.0);
  constexpr std::array<std::string_view, 8> labels{"0",      "90%",     "99%",      "99.9%",
                                                   "99.99%", "99.999%", "99.9999%", "99.99999%"};
  for (std::size_t i = 0; static_cast<double>(i) <= nines; ++i) {
    plot.x_ticks.push_back({static_cast<double>(i), std::string(labels[i])});
  }
  const auto line = [&](const std::string& name, const LatencyHistogram& latency) {
    if (latency.count() == 0) return;
    auto& added = plot.lines.emplace_back(Plot::Line{name, {}});
    constexpr int points_per_nine = 40;
    for (int i = 0; i <= static_cast<int>(nines) * points_per_nine; ++i) {
      const double x = static_cast<double>(i) / points_per_nine;
      added.points.emplace_back(x, us(latency.quantile(1 - std::pow(10, -x))));
    }
  };
  line(report.is_open_loop() ? "latency" : "", report.latency);
  line("service", report.figures.service);
  return plot;
}

Plot over_time(const Report& report, std::string title, std::string unit) {
  Plot plot{.title = std::move(title), .unit = std::move(unit), .lines = {}, .x_ticks = {}};
  const std::int64_t last = report.seconds.empty() ? 1 : report.seconds.back().number + 1;
  constexpr std::int64_t parts = 6;
  for (std::int64_t i = 0; i <= std::min(parts, last); ++i) {
    const std::int64_t second = last * i / std::min(parts, last);
    plot.x_ticks.push_back({static_cast<double>(second), fmt::format("{} s", second)});
  }
  return plot;
}

template <class Value>
void add_line(Plot& plot, const Report& report, std::string name, Value value) {
  auto& line = plot.lines.emplace_back(Plot::Line{std::move(name), {}});
  for (const Second& second : report.seconds) {
    line.points.emplace_back(static_cast<double>(second.number), value(second));
    line.points.emplace_back(static_cast<double>(second.number + 1), value(second));
  }
}

Plot latency_over_time(const Report& report) {
  Plot plot = over_time(report, "Latency over time", "µs");
  add_line(plot, report, "p50", [](const Second& second) { return us(second.p50); });
  add_line(plot, report, "p99", [](const Second& second) { return us(second.p99); });
  add_line(plot, report, "p99.9", [](const Second& second) { return us(second.p999); });
  add_line(plot, report, "max", [](const Second& second) { return us(second.max); });
  return plot;
}

Plot throughput_over_time(const Report& report) {
  Plot plot = over_time(report, "Throughput over time", "per second");
  add_line(plot, report, "answered",
           [](const Second& second) { return static_cast<double>(second.completed); });
  add_line(plot, report, "errors",
           [](const Second& second) { return static_cast<double>(second.errors); });
  if (report.is_open_loop()) {
    add_line(plot, report, "due", [](const Second& second) { return second.due_per_second; });
  }
  return plot;
}

using Out = std::back_insert_iterator<std::string>;

void latency_row(Out out, std::string_view name, const LatencyHistogram& latency) {
  if (latency.count() == 0) return;
  fmt::format_to(out, "<tr><td>{}</td><td>{:.1f}</td>", name, latency.mean() / 1e3);
  for (const double q : quantiles) fmt::format_to(out, "<td>{:.1f}</td>", us(latency.quantile(q)));
  fmt::format_to(out, "<td>{:.1f}</td></tr>\n", us(latency.max()));
}

void latency_table(Out out, const Report& report) {
  fmt::format_to(out, "<table><tr><th>µs</th><th>mean</th>");
  for (const double q : quantiles) fmt::format_to(out, "<th>p{:g}</th>", q * 100);
  fmt::format_to(out, "<th>max</th></tr>\n");
  latency_row(out, "latency", report.latency);
  latency_row(out, "service", report.figures.service);
  latency_row(out, "lateness", report.figures.lateness);
  latency_row(out, "queueing", report.figures.queueing);
  latency_row(out, "connecting", report.figures.connecting);
  fmt::format_to(out, "</table>\n");
}

void step_table(Out out, const Report& report) {
  if (report.steps.size() < 2) return;
  fmt::format_to(out,
                 "<table><tr><th>due/s</th><th>answered/s</th><th>p50 µs</th><th>p99 µs</th>"
                 "<th>p99.9 µs</th><th>max µs</th><th>errors</th></tr>\n");
  for (const StepResult& result : report.steps) {
    const LatencyHistogram& latency = result.latency;
    fmt::format_to(out,
                   "<tr><td>{:.0f}</td><td>{:.0f}</td><td>{:.1f}</td><td>{:.1f}</td>"
                   "<td>{:.1f}</td><td>{:.1f}</td><td>{}</td></tr>\n",
                   result.step.per_second, result.answered_per_second(), us(latency.quantile(0.5)),
                   us(latency.quantile(0.99)), us(latency.quantile(0.999)), us(latency.max()),
                   result.errors);
  }
  fmt::format_to(out, "</table>\n");
}

void fault_lines(Out out, const Report& report) {
  const Figures& figures = report.figures;
  if (figures.connect_errors + figures.read_errors != 0) {
    fmt::format_to(out, "<p class=\"bad\">{} connections failed, {} answers were lost</p>\n",
                   figures.connect_errors, figures.read_errors);
  }
  for (std::size_t i = 0; i < figures.failed_checks.size(); ++i) {
    if (figures.failed_checks[i] == 0) continue;
    fmt::format_to(out, "<p class=\"bad\">{} × check failed: {}</p>\n", figures.failed_checks[i],
                   escaped(report.check_names[i]));
  }
  if (report.is_open_loop() && figures.unanswered != 0) {
    fmt::format_to(out, "<p class=\"bad\">{} requests were due and not answered at the end</p>\n",
                   figures.unanswered);
  }
}

}  // namespace

std::string report_html(const Report& report, const Parameters& parameters) {
  std::string page;
  const auto out = std::back_inserter(page);
  fmt::format_to(out,
                 "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width\">"
                 "<title>sluice load</title><style>{}</style></head><body>\n"
                 "<h1>{:.0f} requests per second for {:.1f} s</h1>\n",
                 style, report.per_second(), static_cast<double>(report.elapsed.ns) / 1e9);
  fault_lines(out, report);
  latency_table(out, report);
  step_table(out, report);
  for (const Plot& plot :
       {latency_by_percentile(report), latency_over_time(report), throughput_over_time(report)}) {
    page += plot_svg(plot);
  }
  fmt::format_to(out, "<table class=\"facts\">\n");
  for (const auto& [name, value] : parameters) {
    fmt::format_to(out, "<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(value));
  }
  fmt::format_to(out, "</table>\n</body></html>\n");
  return page;
}

}  // namespace sluice::load
