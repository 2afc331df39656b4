#include "exports/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/assert.h"
#include "exports/file_destination.h"
#include "exports/s3_destination.h"
#include "exports/syslog_destination.h"

namespace sluice::exports {
namespace {

constexpr std::chrono::milliseconds idle_wait(200);
constexpr std::chrono::milliseconds retry_wait_max(30'000);

template <class Clock>
std::int64_t nanoseconds_of() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

WallTime wall_now() {
  return {nanoseconds_of<std::chrono::system_clock>()};
}

Instant monotonic_now() {
  return {nanoseconds_of<std::chrono::steady_clock>()};
}

std::unique_ptr<Destination> destination_of(const config::AuditExport& settings,
                                            const Product& product) {
  if (settings.file) {
    return std::make_unique<FileDestination>(settings.file->directory, settings.name,
                                             settings.file->rotate_bytes);
  }
  if (settings.s3) return std::make_unique<S3Destination>(*settings.s3);
  ASSERT(settings.syslog.has_value());
  return std::make_unique<SyslogDestination>(*settings.syslog, std::string(product.origin));
}

}  // namespace

Exporter::Exporter(const config::AuditExport& settings, std::unique_ptr<Destination> destination,
                   Report report)
    : name_(settings.name),
      lag_alarm_(settings.lag_alarm),
      destination_(std::move(destination)),
      report_(std::move(report)) {
  status_.name = name_;
}

Result<std::unique_ptr<Exporter>> Exporter::start(const config::AuditExport& settings,
                                                  const std::filesystem::path& log,
                                                  const Product& product, Report report) {
  std::unique_ptr<Exporter> exporter(
      new Exporter(settings, destination_of(settings, product), std::move(report)));
  auto pump = Pump::open(log, log / fmt::format("export-{}.cursor", settings.name), settings.format,
                         product, *exporter->destination_);
  if (!pump) return fail(fmt::format("the export '{}': {}", settings.name, pump.error().message));
  exporter->pump_.emplace(std::move(*pump));
  exporter->status_.next = exporter->pump_->next();
  exporter->thread_ = std::thread([&self = *exporter] { self.run(); });
  return exporter;
}

Exporter::~Exporter() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

ExportStatus Exporter::status() const {
  const std::lock_guard lock(mutex_);
  ExportStatus out = status_;
  const WallTime oldest{static_cast<std::int64_t>(oldest_ns_)};
  if (oldest_ns_ != 0) out.lag = std::max(wall_now() - oldest, Duration{});
  return out;
}

void Exporter::run() {
  auto retry_wait = idle_wait;
  for (;;) {
    const auto done = pump_->turn(monotonic_now());
    note(done);
    watch_lag();
    retry_wait = done ? idle_wait : std::min(2 * retry_wait, retry_wait_max);
    std::unique_lock lock(mutex_);
    const bool goes_on = done && *done != 0;
    if (!goes_on) wake_.wait_for(lock, retry_wait, [this] { return stops_; });
    if (stops_) return;
  }
}

void Exporter::note(const Result<std::size_t>& done) {
  const std::lock_guard lock(mutex_);
  status_.next = pump_->next();
  oldest_ns_ = pump_->oldest_ns();
  status_.last_error.clear();
  if (done) return;
  ++status_.failures;
  status_.last_error = done.error().message;
}

void Exporter::watch_lag() {
  const ExportStatus now = status();
  const bool lags = now.lag >= lag_alarm_;
  if (lags == lags_) return;
  lags_ = lags;
  report_(lags ? "export-lags" : "export-caught-up",
          lags ? fmt::format("{}: {}", name_, now.last_error.empty() ? "too slow" : now.last_error)
               : name_);
}

}  // namespace sluice::exports
