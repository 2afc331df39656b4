// Moves records from the log to a destination, each at least once, in order.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "audit/reader.h"
#include "exports/cursor.h"
#include "exports/destination.h"
#include "exports/projection.h"

namespace sluice::exports {

class Pump {
 public:
  /// log          directory of the audit log.
  /// cursor       path of the export's cursor file.
  /// destination  outlives the pump.
  /// errors       the cursor cannot be read, or is not of this log.
  static Result<Pump> open(const std::filesystem::path& log, const std::filesystem::path& cursor,
                           config::ExportFormat format, const Product& product,
                           Destination& destination);

  /// Sends the next records that the log has committed, a batch at most; after an error the
  /// same ones are sent again. Returns how many; 0: there are none now, or too few yet.
  Result<std::size_t, SendError> turn(Instant now);

  /// Index of the first record that has not arrived.
  [[nodiscard]] std::uint64_t next() const noexcept { return cursor_.next; }
  /// When the oldest record was made that was read and has not arrived; 0: there is none.
  [[nodiscard]] std::uint64_t oldest_ns() const noexcept { return batch_.oldest_ns; }

 private:
  Pump(const std::filesystem::path& log, std::filesystem::path cursor_path, Cursor cursor,
       config::ExportFormat format, const Product& product, Destination& destination)
      : log_(log),
        cursor_path_(std::move(cursor_path)),
        cursor_(cursor),
        format_(format),
        product_(product),
        destination_(&destination),
        batching_(destination.batching()),
        reader_(std::in_place, log, cursor.next) {}
  Result<void> fill();
  [[nodiscard]] bool is_full() const noexcept;

  std::filesystem::path log_;
  std::filesystem::path cursor_path_;
  Cursor cursor_;
  config::ExportFormat format_;
  Product product_;
  Destination* destination_;
  Batching batching_;
  std::optional<audit::LogReader> reader_;
  Batch batch_;
  Instant began_;          ///< When its first record was read.
  audit::Hash last_{};     ///< Of the batch's last record.
  std::uint64_t end_ = 0;  ///< Index behind it: retention may have left gaps before.
  bool was_sent_ = false;  ///< In vain: it stays as it is.
};

}  // namespace sluice::exports
