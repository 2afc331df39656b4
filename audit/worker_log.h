// A worker's end of the audit log: encode a record straight into its ring.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "audit/record.h"
#include "audit/salt.h"
#include "audit/sha256.h"
#include "base/result.h"

namespace sluice::audit {

class FlushSignal;
class OperationKey;
class Ring;

/// Most bytes an outcome record may take; each intent reserves them, so that an
/// operation that has begun can always be closed.
inline constexpr std::size_t outcome_bytes_max = 2 * 1024;

/// One per worker, used by its thread only.
class WorkerLog {
 public:
  /// key   of operations' digests; outlives the log.
  WorkerLog(Ring& ring, FlushSignal& flush, const OperationKey& key);

  /// Whether an intent and the outcome it will need fit now. When false the
  /// worker stops reading from clients until it is true again.
  [[nodiscard]] bool has_room() const noexcept;

  /// Appends and returns the record's sequence number. After this returns, the
  /// record survives the process being killed.
  /// nothing   the ring is full or the log is broken: refuse the operation.
  std::optional<std::uint64_t> append_intent(const Record& record) noexcept;
  /// Takes back the intent's reservation, so it cannot fail. In a broken log too the
  /// record stands in the ring, and is written when the disk takes it.
  std::uint64_t append_outcome(const Record& record) noexcept;
  /// Control and session records: no outcome follows.
  std::optional<std::uint64_t> append_single(const Record& record) noexcept;

  /// Every record up to and including this sequence number is fsynced and under
  /// a signed checkpoint.
  [[nodiscard]] std::uint64_t durable_through() const noexcept;
  /// Asks the writer to begin the next batch now instead of at its interval.
  /// For `durable` mode, once per loop turn after the turn's appends: cheap.
  void request_flush() noexcept;
  /// The disk takes nothing (full, EIO …): nothing may be released until it does again.
  [[nodiscard]] bool is_broken() const noexcept;

  /// As an operation's own: keyed, so that nobody finds what it is of by trying.
  [[nodiscard]] Hash digest_of(std::span<const std::string_view> pieces) const noexcept;

  /// With a sequence number, these name a record.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] std::uint32_t worker() const noexcept { return worker_; }

 private:
  [[nodiscard]] bool accepts(std::size_t bytes) noexcept;
  std::uint64_t append(const Record& record, std::size_t record_bytes) noexcept;

  Ring& ring_;
  FlushSignal& flush_;
  const OperationKey& operation_key_;
  SaltSource salts_;
  std::uint64_t epoch_;
  std::uint64_t sequence_ = 0;
  std::size_t reserved_bytes_ = 0;
  std::size_t hurry_bytes_;  ///< A backlog beyond this wakes the writer.
  std::uint32_t worker_;
};

}  // namespace sluice::audit
