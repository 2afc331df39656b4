#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sluice::load {
namespace {

constexpr std::array<double, 6> quantiles{0.5, 0.75, 0.9, 0.99, 0.999, 0.9999};

double us(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) / 1e3;
}
double in_seconds(Duration duration) noexcept {
  return static_cast<double>(duration.ns) / 1e9;
}

double mean_us(const Histogram& latency) noexcept {
  const std::uint64_t count = latency.count();
  return count == 0 ? 0 : us(latency.sum()) / static_cast<double>(count);
}

double cpu_us_per_request(const Report& report) noexcept {
  return report.completed == 0
             ? 0
             : static_cast<double>(report.cpu.ns) / 1e3 / static_cast<double>(report.completed);
}

}  // namespace

void Report::add(const Report& other) {
  latency_ns.add(other.latency_ns);
  for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
  completed += other.completed;
  bytes_received += other.bytes_received;
  connects += other.connects;
  connect_errors += other.connect_errors;
  read_errors += other.read_errors;
  elapsed = std::max(elapsed, other.elapsed);
  cpu.ns += other.cpu.ns;
}

double Report::per_second() const noexcept {
  return elapsed.ns == 0 ? 0 : static_cast<double>(completed) / in_seconds(elapsed);
}

std::string report_text(const Report& report) {
  std::string page;
  const auto out = std::back_inserter(page);
  fmt::format_to(out, "{} requests in {:.2f} s: {:.0f} per second, {:.1f} MiB/s received\n",
                 report.completed, in_seconds(report.elapsed), report.per_second(),
                 static_cast<double>(report.bytes_received) / 1048576 /
                     std::max(in_seconds(report.elapsed), 1e-9));
  fmt::format_to(out, "latency µs: mean {:.1f}", mean_us(report.latency_ns));
  for (const double q : quantiles) {
    fmt::format_to(out, ", p{:g} {:.1f}", q * 100, us(report.latency_ns.quantile(q)));
  }
  fmt::format_to(out, ", max {:.1f}\nstatus:", us(report.latency_ns.max()));
  for (std::size_t status = 0; status < report.statuses.size(); ++status) {
    if (report.statuses[status] != 0) {
      fmt::format_to(out, " {} × {}", status, report.statuses[status]);
    }
  }
  fmt::format_to(out, "\nerrors: {} connect, {} read; {} connections made\n", report.connect_errors,
                 report.read_errors, report.connects);
  fmt::format_to(out, "generator: {:.2f} µs of CPU per request\n", cpu_us_per_request(report));
  return page;
}

std::string report_json(const Report& report) {
  std::string page;
  const auto out = std::back_inserter(page);
  fmt::format_to(out,
                 "{{\"requests\":{},\"elapsed_s\":{:.6f},\"requests_per_s\":{:.1f},"
                 "\"bytes_received\":{},\"latency_us\":{{\"mean\":{:.2f}",
                 report.completed, in_seconds(report.elapsed), report.per_second(),
                 report.bytes_received, mean_us(report.latency_ns));
  for (const double q : quantiles) {
    fmt::format_to(out, ",\"p{:g}\":{:.2f}", q * 100, us(report.latency_ns.quantile(q)));
  }
  fmt::format_to(out, ",\"max\":{:.2f}}},\"statuses\":{{", us(report.latency_ns.max()));
  bool first = true;
  for (std::size_t status = 0; status < report.statuses.size(); ++status) {
    if (report.statuses[status] == 0) continue;
    fmt::format_to(out, "{}\"{}\":{}", first ? "" : ",", status, report.statuses[status]);
    first = false;
  }
  fmt::format_to(out,
                 "}},\"connects\":{},\"connect_errors\":{},\"read_errors\":{},"
                 "\"cpu_us_per_request\":{:.3f}}}",
                 report.connects, report.connect_errors, report.read_errors,
                 cpu_us_per_request(report));
  return page;
}

}  // namespace sluice::load
