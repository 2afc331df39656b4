#include "exports/exporter.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.h"
#include "exports/file_destination.h"
#include "exports/kafka_destination.h"
#include "exports/otlp_destination.h"
#include "exports/s3_destination.h"
#include "exports/syslog_destination.h"

namespace sluice::exports {
namespace {

constexpr std::chrono::milliseconds idle_wait(200);
constexpr std::chrono::milliseconds retry_wait_max(30'000);
constexpr std::chrono::milliseconds lag_check(500);
/// Until somebody says so.
constexpr std::chrono::milliseconds for_long = std::chrono::hours(24 * 365);

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
  if (settings.kafka) return std::make_unique<KafkaDestination>(*settings.kafka);
  if (settings.otlp) return std::make_unique<OtlpDestination>(*settings.otlp, product);
  ASSERT(settings.syslog.has_value());
  return std::make_unique<SyslogDestination>(*settings.syslog, std::string(product.origin));
}

}  // namespace

Exporter::Exporter(const config::AuditExport& settings, std::unique_ptr<Destination> destination,
                   Report report)
    : name_(settings.name),
      lag_alarm_(settings.lag_alarm),
      destination_(std::move(destination)),
      report_(std::move(report)),
      retry_wait_(idle_wait) {
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
  ::pthread_setname_np(exporter->thread_.native_handle(), "exporter");
  return exporter;
}

Exporter::~Exporter() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
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

void Exporter::try_again() {
  {
    const std::lock_guard lock(mutex_);
    is_urged_ = true;
  }
  wake_.notify_all();
}

void Exporter::run() {
  while (pause(attempt())) {
  }
}

/// How long until the next one.
std::chrono::milliseconds Exporter::attempt() {
  const Done done = pump_->turn(monotonic_now());
  note(done);
  if (!done && done.error().is_final) {
    report_("export-stopped", fmt::format("{}: {}", name_, done.error().message));
  }
  return wait_after(done);
}

/// Also an export that waits for long, or has stopped, says that it lags.
/// false  it ends.
bool Exporter::pause(std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + time;
  for (;;) {
    watch_lag();
    std::unique_lock lock(mutex_);
    const auto left = std::min<Clock::duration>(until - Clock::now(), lag_check);
    wake_.wait_for(lock, left, [this] { return ends_ || is_urged_; });
    if (ends_) return false;
    if (std::exchange(is_urged_, false) || Clock::now() >= until) return true;
  }
}

void Exporter::note(const Done& done) {
  const std::lock_guard lock(mutex_);
  status_.next = pump_->next();
  oldest_ns_ = pump_->oldest_ns();
  status_.last_error.clear();
  status_.has_stopped = false;
  if (done) return;
  ++status_.failures;
  status_.last_error = done.error().message;
  status_.has_stopped = done.error().is_final;
}

/// Failures wait twice as long each time, and some a little less: gateways that lost a
/// destination together do not come back to it all at once.
std::chrono::milliseconds Exporter::wait_after(const Done& done) {
  using std::chrono::milliseconds;
  if (done) {
    retry_wait_ = idle_wait;
    return *done == 0 ? idle_wait : milliseconds(0);
  }
  if (done.error().is_final) return for_long;
  retry_wait_ = std::min(2 * retry_wait_, retry_wait_max);
  if (const Duration asked = done.error().retry_after; asked != Duration{}) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(asked.ns));
  }
  std::uniform_int_distribution<std::int64_t> less(0, retry_wait_.count() / 4);
  return retry_wait_ - milliseconds(less(jitter_));
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
