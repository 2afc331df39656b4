// One export: a thread that keeps a destination as far as the log is. It reads the log's
// files as any reader does, so it never holds up a worker or the writer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "config/model/settings.h"
#include "exports/destination.h"
#include "exports/pump.h"

namespace sluice::exports {

struct ExportStatus {
  std::string name;
  std::uint64_t next = 0;      ///< Index of the first record that has not arrived.
  std::uint64_t failures = 0;  ///< Attempts that failed since the start.
  std::string last_error;      ///< Empty when the last attempt went well.
  bool has_stopped = false;    ///< The destination will never take what comes next.
  Duration lag;                ///< Age of the oldest record that has not arrived; 0: all have.
};

class Exporter {
 public:
  /// What happened to the export, for people and for the log.
  using Report = std::function<void(std::string_view event, std::string_view detail)>;

  /// log      directory of an audit log that exists.
  /// product  its texts outlive the exporter.
  /// report   called on the exporter's thread.
  /// errors   the cursor cannot be read, or is of another log.
  static Result<std::unique_ptr<Exporter>> start(const config::AuditExport& settings,
                                                 const std::filesystem::path& log,
                                                 const Product& product, Report report);
  /// What has not arrived by then does after the next start.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  [[nodiscard]] ExportStatus status() const;
  /// Tries at once, also what the destination has refused for good: somebody may have seen to it.
  void try_again();

 private:
  Exporter(const config::AuditExport& settings, std::unique_ptr<Destination> destination,
           Report report);
  using Done = Result<std::size_t, SendError>;
  void run();
  std::chrono::milliseconds attempt();
  bool pause(std::chrono::milliseconds time);
  void note(const Done& done);
  void watch_lag();
  [[nodiscard]] std::chrono::milliseconds wait_after(const Done& done);

  const std::string name_;
  const Duration lag_alarm_;
  std::unique_ptr<Destination> destination_;
  std::optional<Pump> pump_;
  Report report_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool ends_ = false;
  bool is_urged_ = false;  ///< By try_again().
  ExportStatus status_;
  std::uint64_t oldest_ns_ = 0;
  // Of the thread alone.
  std::chrono::milliseconds retry_wait_;
  std::minstd_rand jitter_{std::random_device{}()};
  bool lags_ = false;
  std::thread thread_;
};

}  // namespace sluice::exports
