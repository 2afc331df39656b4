// What goes out of one connection: bytes passed on from where they lie, and bytes
// that are written here.
#pragma once

#include <vector>

#include "dataplane/session/postgres_tap.h"
#include "dataplane/session/worker_context.h"
#include "dataplane/slice_queue.h"
#include "parsers/postgres/writer.h"

namespace sluice::dataplane {

/// Over a SliceQueue, whose order is the order of calls.
class PostgresOutbox {
 public:
  PostgresOutbox(WorkerContext& worker, SliceQueue& queue) noexcept
      : worker_(worker), queue_(queue) {}
  ~PostgresOutbox();
  PostgresOutbox(const PostgresOutbox&) = delete;
  PostgresOutbox& operator=(const PostgresOutbox&) = delete;

  /// Whether a message may be dealt with now that leads to a few slices.
  [[nodiscard]] bool has_room() const noexcept {
    return spill_.empty() && queue_.free_slices() >= slices_per_message_max;
  }

  /// Some of what was copied is not in the queue yet.
  [[nodiscard]] bool has_spill() const noexcept { return !spill_.empty(); }

  /// Passes on bytes of a pool buffer.
  void pass(BufferId buffer, ByteView bytes) noexcept {
    queue_.push(worker_.pool, buffer, bytes);
    if (tap_ != nullptr) tap_->add(bytes);
  }
  /// Copies; what the queue has no room for waits here. False when no buffer is free.
  [[nodiscard]] bool copy(ByteView bytes);
  /// Writes messages with `write(postgres::Writer&)`. False when they did not fit, or
  /// no buffer is free: nothing was queued then.
  template <class Write>
  [[nodiscard]] bool write(Write write) {
    // A message of ours may carry a text of the target's.
    if (!reserve(written_bytes_max)) return false;
    postgres::Writer writer(room());
    write(writer);
    if (writer.failed()) return false;
    commit(writer.written().size());
    return true;
  }

  /// Room for at least `bytes_min`, at most what a buffer holds, side by side.
  [[nodiscard]] bool reserve(std::size_t bytes_min) noexcept;
  [[nodiscard]] ByteSpan room() const noexcept;
  /// The first bytes of room() are to go out.
  void commit(std::size_t size_bytes) noexcept;

  /// From here on it gets all that goes out. It outlives the use of this outbox.
  void set_tap(PostgresTap& tap) noexcept { tap_ = &tap; }

  /// Something was sent: what waited goes on.
  void on_sent();
  /// Time went by: a buffer may be free for what waited.
  void pour_spill();
  void clear() noexcept;

 private:
  static constexpr std::size_t slices_per_message_max = 6;
  static constexpr std::size_t written_bytes_max = 12 * 1024;

  void drop_buffer() noexcept;
  void push_used(std::size_t size_bytes) noexcept;
  [[nodiscard]] bool pour(ByteView bytes, std::size_t& taken) noexcept;

  WorkerContext& worker_;
  SliceQueue& queue_;
  BufferId buffer_ = no_buffer;  ///< Written into; held.
  std::size_t used_ = 0;
  std::vector<std::uint8_t> spill_;
  std::size_t spilled_ = 0;  ///< Of spill_, queued already.
  PostgresTap* tap_ = nullptr;
};

}  // namespace sluice::dataplane
