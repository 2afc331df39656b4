// The audit log as a whole: directory, rings, recovery and the signing writer thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "audit/worker_log.h"
#include "base/result.h"

namespace sluice::audit {

class Disk;
class LogSigner;

struct LogOptions {
  std::filesystem::path directory;
  /// Signs, and outlives the log. Null: this process does, with the key in `signing_key`.
  LogSigner* signer = nullptr;
  std::filesystem::path signing_key;  ///< Ed25519; see docs/audit_log.md for the file's form.
  std::uint32_t workers = 1;
  std::size_t ring_bytes = std::size_t{8} << 20;       ///< Per worker.
  std::size_t segment_bytes = std::size_t{256} << 20;  ///< A segment is sealed at this size.
  /// How often records that nobody waits for are committed (1 ms to 1 s).
  Duration flush_interval = milliseconds(50);
  /// Between attempts to go on after the disk failed: doubles from the one to the other.
  Duration retry_min = milliseconds(100);
  Duration retry_max = seconds(5);
  Disk* disk = nullptr;    ///< Where segments go; null is the real one. For tests.
  bool has_thread = true;  ///< False: nothing is written but by `turn`. For simulations.
};

struct LogStatus {
  std::uint64_t records = 0;    ///< In the tree.
  std::uint64_t recovered = 0;  ///< Taken from rings of a killed gateway at start.
  std::uint64_t checkpoints = 0;
  std::uint64_t bytes = 0;     ///< Written to segments since start.
  std::uint64_t failures = 0;  ///< How often the disk began to fail since start.
  std::uint64_t refusals = 0;  ///< Appends refused meanwhile.
  std::string failure;         ///< Why nothing is written now; empty while healthy.
};

class Log {
 public:
  /// Recovers what an earlier process left (torn tail, records still in rings),
  /// then starts the writer thread. `on_durable(worker)` is called from that
  /// thread after a batch that holds records of `worker` became durable; it must
  /// only wake the worker. When the log breaks, and when it goes on, it is called once
  /// for every worker.
  static Result<std::unique_ptr<Log>> open(const LogOptions& options, Now now,
                                           std::function<void(std::uint32_t)> on_durable);
  /// Drains, signs a last checkpoint, seals and stops.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] WorkerLog& worker(std::uint32_t index) noexcept;
  /// The control thread's own ring (index `workers`): start, reload, drain records.
  [[nodiscard]] WorkerLog& control() noexcept;
  [[nodiscard]] LogStatus status() const;
  /// One round of the writer, in a log without a thread.
  void turn();

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Makes a signing key file (mode 0600) and returns its public verifier line.
Result<std::string> create_signing_key(const std::filesystem::path& path,
                                       const std::string& origin);

}  // namespace sluice::audit
