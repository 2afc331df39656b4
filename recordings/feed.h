// A worker's way into recordings: what it taps is copied into a block, and blocks go to the
// recording thread now and then. No lock and no system call but for those hand-overs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/instant.h"
#include "base/mailbox.h"
#include "recordings/item.h"

namespace sluice::recordings {

/// Whether anything is recorded; the recording thread says so, workers look.
struct Intake {
  enum class State : std::uint8_t {
    takes,
    full,     ///< Nothing new may begin; what is under way is still taken.
    stopped,  ///< Nothing is taken, and operations go on without.
  };
  std::atomic<State> state{State::takes};
  std::atomic<std::uint32_t> stops{0};  ///< What began before the last stop has ended there.
};

/// Names a recording on its way; of no meaning after its end.
struct Handle {
  std::uint64_t number = 0;  ///< 0: none.
  std::uint32_t stops = 0;
};

struct FrameHead {
  enum class Kind : std::uint8_t {
    open,  ///< Content: what encode_head() writes for no chunk.
    item,
    close,
  };
  std::uint64_t recording = 0;
  std::uint32_t size = 0;  ///< Of the content behind it.
  Kind kind = Kind::item;
};

class Feed;

/// Frames, one behind the other.
struct Block {
  Feed* from = nullptr;
  std::vector<std::uint8_t> bytes;
};

class Feed {
 public:
  /// backlog_max   bytes that may be under way before has_room() is false.
  Feed(std::uint32_t worker, std::uint64_t backlog_max, const Intake& intake,
       std::function<void(Block)> hand_over);

  // The worker.

  /// When false the worker reads nothing more of whom it records.
  [[nodiscard]] bool has_room() const noexcept {
    return block_.size() + under_way_.load(std::memory_order_acquire) < backlog_max_;
  }
  [[nodiscard]] Intake::State state() const noexcept {
    return intake_.state.load(std::memory_order_relaxed);
  }
  Handle open(const Subject& subject);
  /// Whether what is added to it is kept.
  [[nodiscard]] bool lives(const Handle& handle) const noexcept {
    return handle.number != 0 && handle.stops == intake_.stops.load(std::memory_order_relaxed);
  }
  void add(const Handle& handle, const Item& item);
  void close(const Handle& handle);
  /// Once per turn: hands over what is much, or old.
  void flush(Instant now);
  /// Hands over all there is.
  void finish();

  // The recording thread.

  /// The block was dealt with.
  void give_back(std::vector<std::uint8_t> bytes);

 private:
  ByteSpan append(std::uint64_t recording, FrameHead::Kind kind, std::size_t content_max);
  void end_frame(std::size_t content_bytes);
  void add_piece(const Handle& handle, const Item& item);

  const Intake& intake_;
  std::function<void(Block)> hand_over_;
  std::vector<std::uint8_t> block_;
  std::size_t frame_at_ = 0;  ///< Of the frame being written.
  std::optional<Instant> waits_since_;
  std::uint64_t backlog_max_;
  std::uint64_t next_;
  std::atomic<std::uint64_t> under_way_{0};
  Mailbox<std::vector<std::uint8_t>> returned_;
};

}  // namespace sluice::recordings
