// A worker's ring of record frames: one producer (the worker), one consumer
// (the writer thread), in a file mapped MAP_SHARED, so that its content outlives
// the process however that ends.
//
// A frame counts once the write index has passed it. The store of the index
// follows the stores of the frame in program order, and what a killed process
// has stored stays in the page cache, so a reader of the file finds whole frames
// up to the index and nothing else. The read index moves only when the frames
// behind it are durable in a segment.
//
// The data is mapped twice in a row: a frame never wraps.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>

#include "audit/boot_id.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

/// What a later process must know of a writer's failure.
struct FailureMark {
  std::uint64_t segment = 0;        ///< Never trusted again; 0: nothing failed.
  std::uint64_t trusted_bytes = 0;  ///< Of that segment: durable before the failure.
};

class Ring {
 public:
  static constexpr std::size_t bytes_min = std::size_t{256} << 10;
  static constexpr std::size_t bytes_max = std::size_t{1} << 30;

  /// Makes an empty ring under a temporary name and moves it to `path`.
  /// bytes    a power of two.
  static Result<std::unique_ptr<Ring>> create(const std::filesystem::path& path, std::size_t bytes,
                                              std::uint32_t worker, std::uint64_t epoch);
  /// Maps what an earlier process left.
  static Result<std::unique_ptr<Ring>> open(const std::filesystem::path& path);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  [[nodiscard]] std::uint32_t worker() const noexcept;
  [[nodiscard]] std::uint64_t epoch() const noexcept;
  /// Whether the host ran ever since it was made.
  [[nodiscard]] bool is_of_this_boot() const noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  // Producer.

  /// Whether `bytes` more fit. Looks at the consumer's index only when the last
  /// look does not suffice.
  [[nodiscard]] bool has_room(std::size_t bytes) noexcept {
    if (written_ + bytes <= consumed_seen_ + capacity_) return true;
    consumed_seen_ = shared_->consumed.load(std::memory_order_acquire);
    return written_ + bytes <= consumed_seen_ + capacity_;
  }
  /// Where the next frame goes; `has_room` bytes may be written there.
  [[nodiscard]] std::uint8_t* tail() noexcept { return data_ + (written_ & (capacity_ - 1)); }
  void publish(std::size_t bytes) noexcept {
    written_ += bytes;
    shared_->written.store(written_, std::memory_order_release);
  }
  /// Bytes not yet taken, as the producer last saw it.
  [[nodiscard]] std::size_t backlog() const noexcept {
    return static_cast<std::size_t>(written_ - consumed_seen_);
  }

  // Consumer.

  /// What was published behind the cursor. The cursor is the consumer's own and
  /// begins at the read index.
  [[nodiscard]] ByteView unread() const noexcept {
    const std::uint64_t end = shared_->written.load(std::memory_order_acquire);
    return {data_ + (cursor_ & (capacity_ - 1)), static_cast<std::size_t>(end - cursor_)};
  }
  void take(std::size_t bytes) noexcept { cursor_ += bytes; }
  /// Offers again what was taken and not released.
  void rewind() noexcept { cursor_ = shared_->consumed.load(std::memory_order_relaxed); }
  /// Gives all that was taken back to the producer. Only once it is durable.
  void release_taken() noexcept { shared_->consumed.store(cursor_, std::memory_order_release); }

  // From the writer to the worker.

  void set_durable_through(std::uint64_t sequence) noexcept {
    durable_through_.store(sequence, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t durable_through() const noexcept {
    return durable_through_.load(std::memory_order_acquire);
  }
  void mark_broken(const FailureMark& mark) noexcept;
  /// Takes records again, after `forget_failure`.
  void mend() noexcept { shared_->is_broken.store(0, std::memory_order_release); }
  [[nodiscard]] bool is_broken() const noexcept {
    return shared_->is_broken.load(std::memory_order_acquire) != 0;
  }
  [[nodiscard]] FailureMark failure() const noexcept;
  /// Once recovery has acted on the mark, durably: it names a segment number
  /// that will be used again.
  [[nodiscard]] Result<void> forget_failure() noexcept;

  /// Appends that a broken log refused.
  void count_refusal() noexcept { refusals_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t refusals() const noexcept {
    return refusals_.load(std::memory_order_relaxed);
  }

 private:
  struct Shared {
    std::uint64_t magic;
    std::uint64_t version;
    std::uint64_t capacity;
    std::uint64_t epoch;
    std::uint64_t worker;
    std::uint64_t check;  ///< CRC32C of the five above.
    BootId boot;
    alignas(64) std::atomic<std::uint64_t> written;
    alignas(64) std::atomic<std::uint64_t> consumed;
    alignas(64) std::atomic<std::uint64_t> failed_segment;
    std::atomic<std::uint64_t> trusted_bytes;
    std::atomic<std::uint32_t> is_broken;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  static constexpr std::size_t head_bytes = 4096;
  static_assert(sizeof(Shared) <= head_bytes);

  Ring() = default;
  static Result<std::unique_ptr<Ring>> map(int fd, std::size_t bytes,
                                           const std::filesystem::path& path);
  [[nodiscard]] std::uint32_t check_of_head() const noexcept;

  Shared* shared_ = nullptr;
  std::uint8_t* data_ = nullptr;
  std::size_t capacity_ = 0;

  alignas(64) std::uint64_t written_ = 0;  ///< Producer's copy.
  std::uint64_t consumed_seen_ = 0;
  alignas(64) std::uint64_t cursor_ = 0;  ///< Consumer's.
  alignas(64) std::atomic<std::uint64_t> durable_through_{0};
  std::atomic<std::uint64_t> refusals_{0};
};

}  // namespace sluice::audit
