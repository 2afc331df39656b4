#include "exports/pump.h"

#include <fmt/format.h>

namespace sluice::exports {
namespace {

constexpr std::size_t batch_records_max = 1000;
constexpr std::size_t batch_bytes_max = std::size_t{1} << 20;

audit::Hash leaf_hash(ByteView record) {
  constexpr std::uint8_t leaf = 0;
  audit::Sha256 hash;
  hash.add({&leaf, 1});
  hash.add(record);
  return hash.finish();
}

/// Whether the log's record before the cursor is the one that was exported.
Result<bool> is_of(const Cursor& cursor, const std::filesystem::path& log) {
  if (cursor.next == 0) return true;
  bool is_same = false;
  audit::LogReader reader(log, cursor.next - 1);
  const auto done = reader.read([&](std::uint64_t /*index*/, ByteView record) {
    is_same = leaf_hash(record) == cursor.last;
    return false;
  });
  if (!done) return fail(done.error().message);
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

Result<std::size_t> Pump::turn() {
  if (batch_.records == 0) {
    if (auto done = fill(); !done) return fail(done.error().message);
    if (batch_.records == 0) return 0;
  }
  if (auto done = destination_->send(batch_.frames); !done) return fail(done.error().message);
  const Cursor next{cursor_.next + batch_.records, batch_.last};
  if (auto done = write_cursor(cursor_path_, next); !done) return fail(done.error().message);
  cursor_ = next;
  const std::size_t sent = batch_.records;
  batch_ = {};
  return sent;
}

Result<void> Pump::fill() {
  Batch batch;
  Result<void> understood;
  const auto done = reader_.read([&](std::uint64_t index, ByteView bytes) {
    const auto record = ExportedRecord::read(index, bytes);
    if (!record) {
      understood = fail(fmt::format("record {}: {}", index, record.error().message));
      return false;
    }
    if (batch.records == 0) batch.oldest_ns = record->time_ns();
    batch.frames += destination_->frame(*record, project(format_, *record, product_));
    batch.last = leaf_hash(bytes);
    ++batch.records;
    return batch.records < batch_records_max && batch.frames.size() < batch_bytes_max;
  });
  if (!understood) return understood;
  if (!done) return fail(done.error().message);
  batch_ = std::move(batch);
  return {};
}

}  // namespace sluice::exports
