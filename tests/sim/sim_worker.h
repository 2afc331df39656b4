// One worker of the gateway on the simulated transport, with its audit log.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/log.h"
#include "audit/verify.h"
#include "base/mailbox.h"
#include "dataplane/loop/loop.h"
#include "dataplane/transport/sim_random.h"
#include "dataplane/transport/sim_transport.h"
#include "temporary_folder.h"
#include "unsynced_disk.h"

namespace sluice::dataplane {

struct SimLog {
  std::size_t ring_bytes = 0;  ///< 0: large enough for whatever a simulation does.
  /// Null: one that is written now and then, as the seed has it. To another one nothing is
  /// written but by `Log::turn`.
  audit::Disk* disk = nullptr;
};

class SimWorker {
 public:
  explicit SimWorker(const SimOptions& options, const SimLog& log = {});
  ~SimWorker();

  void start(std::shared_ptr<const Snapshot> snapshot, LoopOptions options);
  /// False when that takes longer than `patience`, of simulated time.
  [[nodiscard]] bool run_until(const std::function<bool()>& is_done,
                               Duration patience = seconds(600));
  /// As the gateway does it: the policy is kept before records can name it.
  void post(WorkerMail mail);
  /// While its disk is stuck the log takes what its ring has room for, and no more.
  void stick_disk(bool is_stuck) { is_stuck_ = is_stuck; }
  /// As other sessions of the worker would: not one more record fits.
  void fill_log();
  /// Stops the loop and closes the log; afterwards holds and log can be judged.
  void stop();

  [[nodiscard]] SimTransport& transport() { return transport_; }
  [[nodiscard]] WorkerMetrics& metrics() { return *metrics_; }
  [[nodiscard]] audit::Log& log() { return *log_; }
  [[nodiscard]] const audit::LogOptions& log_options() const { return log_options_; }
  [[nodiscard]] const std::string& verifier() const { return verifier_; }
  [[nodiscard]] audit::VerifyReport verify_log() const;
  /// Every record, as JSON.
  [[nodiscard]] std::vector<std::string> records() const;

 private:
  void write_log();

  test::TemporaryFolder folder_;
  UnsyncedDisk disk_;
  SimRandom random_;
  unsigned writes_per_mille_;  ///< How often the log is written between two turns.
  SimTransport transport_;
  audit::LogOptions log_options_;
  std::string verifier_;
  std::unique_ptr<WorkerMetrics> metrics_ = std::make_unique<WorkerMetrics>();
  Mailbox<WorkerMail> mailbox_;
  bool is_durable_ = false;
  bool is_stuck_ = false;
  std::uint64_t log_stalls_ = 0;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Loop<SimTransport>> loop_;
};

}  // namespace sluice::dataplane
