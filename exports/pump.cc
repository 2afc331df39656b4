#include "exports/pump.h"

#include <fmt/format.h>

#include <utility>

namespace sluice::exports {
namespace {

audit::Hash leaf_hash(ByteView record) {
  constexpr std::uint8_t leaf = 0;
  audit::Sha256 hash;
  hash.add({&leaf, 1});
  hash.add(record);
  return hash.finish();
}

/// Whether the log's record before the cursor is the one that was exported.
/// errors   the log cannot be read there, or retention removed that record.
Result<bool> is_of(const Cursor& cursor, const std::filesystem::path& log) {
  if (cursor.next == 0) return true;
  bool is_same = false;
  bool is_removed = false;
  audit::LogReader reader(log, cursor.next - 1);
  const auto done = reader.read(
      [&](std::uint64_t /*index*/, ByteView record) {
        is_same = leaf_hash(record) == cursor.last;
        return false;
      },
      [&](std::uint64_t /*begin*/, const audit::RemovedRecords&) {
        is_removed = true;
        return false;
      });
  if (!done) return fail(done.error().message);
  if (is_removed) {
    return fail(
        fmt::format("record {}, where it ended, was removed by retention; remove its "
                    "cursor to export what is there",
                    cursor.next - 1));
  }
  return is_same;
}

}  // namespace

Result<Pump> Pump::open(const std::filesystem::path& log, const std::filesystem::path& cursor,
                        config::ExportFormat format, const Product& product,
                        Destination& destination) {
  const auto kept = read_cursor(cursor);
  if (!kept) return fail(kept.error().message);
  const Cursor from = kept->value_or(Cursor{});
  const auto fits = is_of(from, log);
  if (!fits) return fail(fits.error().message);
  if (!*fits) {
    return fail(
        fmt::format("{} is the cursor of another log; remove it to export this log from "
                    "its beginning",
                    cursor.string()));
  }
  return Pump(log, cursor, from, format, product, destination);
}

Result<std::size_t, SendError> Pump::turn(Instant now) {
  if (!was_sent_ && !is_full()) {
    if (batch_.records == 0) began_ = now;
    const auto filled = fill();
    // What comes before a record that cannot be read still goes; nothing behind it does.
    if (batch_.records == 0 && !filled) return fail(filled.error().message);
    const bool waits = filled && !is_full() && now < began_ + batching_.linger;
    if (batch_.records == 0 || waits) return 0;
  }
  was_sent_ = true;
  if (auto done = destination_->send(batch_); !done) return tl::unexpected(done.error());
  const Cursor next{end_, last_};
  if (auto done = write_cursor(cursor_path_, next); !done) return fail(done.error().message);
  cursor_ = next;
  was_sent_ = false;
  return std::exchange(batch_, {}).records;
}

bool Pump::is_full() const noexcept {
  return batch_.records >= batching_.records_max || batch_.frames.size() >= batching_.bytes_max;
}

Result<void> Pump::fill() {
  Result<void> understood;
  const auto done = reader_->read([&](std::uint64_t index, ByteView bytes) {
    const auto record = ExportedRecord::read(index, bytes);
    if (!record) {
      understood = fail(fmt::format("record {}: {}", index, record.error().message));
      return false;
    }
    if (batch_.records == 0) {
      batch_.first = index;
      batch_.oldest_ns = record->time_ns();
    }
    batch_.frames += destination_->frame(*record, project(format_, *record, product_));
    last_ = leaf_hash(bytes);
    end_ = index + 1;
    ++batch_.records;
    return !is_full();
  });
  if (!understood) {
    // It has gone past the record.
    reader_.emplace(log_, batch_.records == 0 ? cursor_.next : end_);
    return understood;
  }
  if (!done) return fail(done.error().message);
  return {};
}

}  // namespace sluice::exports
