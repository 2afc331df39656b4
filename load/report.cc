#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace sluice::load {
namespace {

constexpr std::array<double, 6> quantiles{0.5, 0.75, 0.9, 0.99, 0.999, 0.9999};

double us(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) / 1e3;
}
double us(Duration duration) noexcept {
  return static_cast<double>(duration.ns) / 1e3;
}
double in_seconds(Duration duration) noexcept {
  return static_cast<double>(duration.ns) / 1e9;
}

double cpu_us_per_request(const Report& report) noexcept {
  const std::uint64_t completed = report.figures.completed;
  return completed == 0 ? 0 : us(report.cpu) / static_cast<double>(completed);
}

using Out = std::back_insert_iterator<std::string>;

// Text.

void latency_row(Out out, std::string_view what, const LatencyHistogram& latency) {
  if (latency.count() == 0) return;
  fmt::format_to(out, "{:<11}{:>10.1f}", what, latency.mean() / 1e3);
  for (const double q : quantiles) fmt::format_to(out, "{:>10.1f}", us(latency.quantile(q)));
  fmt::format_to(out, "{:>10.1f}\n", us(latency.max()));
}

void latency_table(Out out, const Report& report) {
  fmt::format_to(out, "{:<11}{:>10}", "µs", "mean");
  for (const double q : quantiles) fmt::format_to(out, "{:>10}", fmt::format("p{:g}", q * 100));
  fmt::format_to(out, "{:>10}\n", "max");
  latency_row(out, "latency", report.latency);
  latency_row(out, "service", report.figures.service);
  latency_row(out, "lateness", report.figures.lateness);
  latency_row(out, "queueing", report.figures.queueing);
  latency_row(out, "connecting", report.figures.connecting);
}

void step_table(Out out, const Report& report) {
  if (report.steps.size() < 2) return;
  fmt::format_to(out, "{:>10}{:>12}{:>10}{:>10}{:>10}{:>10}{:>8}\n", "due/s", "answered/s",
                 "p50 µs", "p99 µs", "p99.9 µs", "max µs", "errors");
  for (const StepResult& result : report.steps) {
    const LatencyHistogram& latency = result.latency;
    fmt::format_to(out, "{:>10.0f}{:>12.0f}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>8}\n",
                   result.step.per_second, result.answered_per_second(), us(latency.quantile(0.5)),
                   us(latency.quantile(0.99)), us(latency.quantile(0.999)), us(latency.max()),
                   result.errors);
  }
}

void failed_check_lines(Out out, const Report& report) {
  const auto& failed = report.figures.failed_checks;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (failed[i] != 0)
      fmt::format_to(out, "CHECK FAILED {} × {}\n", failed[i], report.check_names[i]);
  }
}

void unanswered_line(Out out, const Report& report) {
  const Figures& figures = report.figures;
  if (figures.unanswered == 0) return;
  const double waited_s = in_seconds(figures.unanswered_wait_max);
  if (report.is_open_loop()) {
    fmt::format_to(out,
                   "UNANSWERED {}: due and not answered at the end; the oldest waited {:.3f} s\n",
                   figures.unanswered, waited_s);
  } else if (figures.unanswered_wait_max.ns > static_cast<std::int64_t>(report.latency.max())) {
    fmt::format_to(
        out, "{} in flight at the end; the oldest waited {:.3f} s, longer than any answer took\n",
        figures.unanswered, waited_s);
  }
}

// JSON.

std::string quoted(std::string_view text) {
  std::string page = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      page += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      continue;
    }
    if (c == '"' || c == '\\') page += '\\';
    page += c;
  }
  return page + '"';
}

std::string latency_json(const LatencyHistogram& latency) {
  std::string page =
      fmt::format("{{\"count\":{},\"mean\":{:.3f}", latency.count(), latency.mean() / 1e3);
  for (const double q : quantiles) {
    page += fmt::format(",\"p{:g}\":{:.3f}", q * 100, us(latency.quantile(q)));
  }
  return page + fmt::format(",\"max\":{:.3f}}}", us(latency.max()));
}

std::string statuses_json(const Figures& figures) {
  std::string page;
  for (std::size_t status = 0; status < figures.statuses.size(); ++status) {
    if (figures.statuses[status] == 0) continue;
    page += fmt::format("{}\"{}\":{}", page.empty() ? "" : ",", status, figures.statuses[status]);
  }
  return "{" + page + "}";
}

std::string failed_checks_json(const Report& report) {
  std::string page;
  for (std::size_t i = 0; i < report.figures.failed_checks.size(); ++i) {
    page += fmt::format("{}{}:{}", page.empty() ? "" : ",", quoted(report.check_names[i]),
                        report.figures.failed_checks[i]);
  }
  return "{" + page + "}";
}

std::string steps_json(const Report& report) {
  std::string page;
  for (const StepResult& result : report.steps) {
    page += fmt::format(
        "{}{{\"due_per_s\":{:.3f},\"lasts_s\":{:.3f},\"answered_per_s\":{:.1f},\"errors\":{},"
        "\"latency_us\":{}}}",
        page.empty() ? "" : ",", result.step.per_second, in_seconds(result.step.lasts),
        result.answered_per_second(), result.errors, latency_json(result.latency));
  }
  return "[" + page + "]";
}

std::string seconds_json(const Report& report) {
  std::string page;
  for (const Second& second : report.seconds) {
    page += fmt::format(
        "{}{{\"second\":{},\"due_per_s\":{:.3f},\"answered\":{},\"errors\":{},\"p50\":{:.3f},"
        "\"p99\":{:.3f},\"p99.9\":{:.3f},\"max\":{:.3f}}}",
        page.empty() ? "" : ",", second.number, second.due_per_second, second.completed,
        second.errors, us(second.p50), us(second.p99), us(second.p999), us(second.max));
  }
  return "[" + page + "]";
}

}  // namespace

double StepResult::answered_per_second() const noexcept {
  return static_cast<double>(latency.count()) / in_seconds(step.lasts);
}

double Report::per_second() const noexcept {
  return elapsed.ns == 0 ? 0 : static_cast<double>(figures.completed) / in_seconds(elapsed);
}

bool Report::is_clean() const noexcept {
  return figures.connect_errors == 0 && figures.read_errors == 0 && figures.checks_failed() == 0 &&
         (!is_open_loop() || figures.unanswered == 0);
}

std::string second_text(const Second& second) {
  const std::string due =
      second.due_per_second == 0 ? "" : fmt::format(" of {:.0f} due", second.due_per_second);
  return fmt::format("{} s{}: {} per second{}, p50 {:.1f} µs, p99 {:.1f} µs, errors {}",
                     second.number + 1, second.number < 0 ? " (warm-up)" : "", second.completed,
                     due, us(second.p50), us(second.p99), second.errors);
}

std::string report_text(const Report& report) {
  const Figures& figures = report.figures;
  std::string page;
  const auto out = std::back_inserter(page);
  fmt::format_to(out, "{} requests in {:.2f} s: {:.0f} per second, {:.1f} MiB/s received\n",
                 figures.completed, in_seconds(report.elapsed), report.per_second(),
                 static_cast<double>(figures.bytes_received) / 1048576 /
                     std::max(in_seconds(report.elapsed), 1e-9));
  latency_table(out, report);
  step_table(out, report);
  fmt::format_to(out, "status:");
  for (std::size_t status = 0; status < figures.statuses.size(); ++status) {
    if (figures.statuses[status] != 0) {
      fmt::format_to(out, " {} × {}", status, figures.statuses[status]);
    }
  }
  fmt::format_to(out, "\nerrors: {} connect, {} read; {} connections made\n",
                 figures.connect_errors, figures.read_errors, figures.connects);
  if (report.is_open_loop()) {
    fmt::format_to(out, "schedule: {} requests waited for a free connection\n",
                   figures.queueing.count());
  }
  failed_check_lines(out, report);
  unanswered_line(out, report);
  fmt::format_to(out, "generator: {:.2f} µs of CPU per request\n", cpu_us_per_request(report));
  return page;
}

std::string report_json(const Report& report) {
  const Figures& figures = report.figures;
  return fmt::format(
      "{{\"loop\":\"{}\",\"requests\":{},\"elapsed_s\":{:.6f},\"requests_per_s\":{:.1f},"
      "\"bytes_received\":{},\"latency_us\":{},\"service_us\":{},\"lateness_us\":{},"
      "\"queueing_us\":{},\"connecting_us\":{},\"statuses\":{},\"connects\":{},"
      "\"connect_errors\":{},\"read_errors\":{},\"failed_checks\":{},\"unanswered\":{},"
      "\"unanswered_wait_max_s\":{:.6f},\"steps\":{},\"seconds\":{},\"cpu_us_per_request\":{:.3f}}"
      "}",
      report.is_open_loop() ? "open" : "closed", figures.completed, in_seconds(report.elapsed),
      report.per_second(), figures.bytes_received, latency_json(report.latency),
      latency_json(figures.service), latency_json(figures.lateness), latency_json(figures.queueing),
      latency_json(figures.connecting), statuses_json(figures), figures.connects,
      figures.connect_errors, figures.read_errors, failed_checks_json(report), figures.unanswered,
      in_seconds(figures.unanswered_wait_max), steps_json(report), seconds_json(report),
      cpu_us_per_request(report));
}

}  // namespace sluice::load
