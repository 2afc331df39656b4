// One direction's body on its way through: masked, framed anew, queued for sending.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "dataplane/slice_queue.h"
#include "matcher/body_masker.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/encoder.h"

namespace sluice::dataplane {

struct WorkerContext;

/// Free slices that one piece of a body may need: a slot of one-digit numbers
/// under a masked path grows about sevenfold, into slots of its own.
inline constexpr std::size_t slices_per_piece_max = 16;

/// How the body is framed where it goes.
enum class OutFraming : std::uint8_t { none, length, chunked, until_close };

/// Body bytes of one received buffer, decoded and moved together (collect.h).
struct Collected {
  ByteSpan payload;                  ///< Never null, perhaps empty.
  std::uint8_t* free_end = nullptr;  ///< Up to here the bytes behind it may be overwritten.
  std::span<const http1::Field> trailers;
  http1::Fault fault = http1::Fault::none;
  bool last = false;  ///< The body ends with it.
};

/// Body bytes that may leave, still where they arrived. Owns one hold on
/// `buffer`; `emit` or `drop` gives it back.
struct Settled {
  enum class Fault : std::uint8_t { none, malformed, no_buffers };
  Fault fault = Fault::none;
  BufferId buffer = no_buffer;
  ByteSpan bytes;
  std::span<const matcher::Edit> edits;  ///< Offsets into `bytes`.
  /// Up to here the bytes behind `bytes` may be overwritten.
  std::uint8_t* free_end = nullptr;
  /// Bytes for another `settle`, after these were emitted: the masker had more
  /// to replace than it could say at once.
  ByteSpan rest;
  std::uint8_t* rest_free_end = nullptr;
  bool rest_is_last = false;
  bool last = false;

  /// Bytes on the other side, after the edits.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept;
};

/// Holds the bytes that the masker withholds between two pieces.
///
/// Each piece goes through `settle`, then `emit`.
class BodyRelay {
 public:
  /// masker  null: bytes pass as they are. Must outlive the message.
  void start(matcher::BodyMasker* masker) noexcept {
    masker_ = masker;
    released_bytes_ = 0;
    begun_ = false;
  }
  void set_framing(OutFraming framing) noexcept { framing_ = framing; }
  [[nodiscard]] OutFraming framing() const noexcept { return framing_; }

  /// The next body bytes, which lie in `buffer`. Before them are at least
  /// headroom_bytes that nothing else uses, or the message's own head.
  [[nodiscard]] Settled settle(WorkerContext& worker, BufferId buffer,
                               const Collected& next) noexcept;

  /// Queues the bytes in the chosen framing, after `head` (a message's head, in
  /// scratch memory; taken once and then emptied). `trailers` are encoded field
  /// lines that go with the last chunk; they are copied. Afterwards `settled` is
  /// the next part of the same piece, or its buffer is no_buffer.
  /// False when the pool or the queue has no room for a body that grew.
  [[nodiscard]] bool emit(WorkerContext& worker, SliceQueue& out, Settled& settled, ByteView& head,
                          ByteView trailers) noexcept;
  static void drop(BufferPool& pool, const Settled& settled) noexcept;
  /// Bytes went out by another way.
  void pass_unseen(std::uint64_t size_bytes) noexcept { released_bytes_ += size_bytes; }

  [[nodiscard]] std::uint64_t released_bytes() const noexcept { return released_bytes_; }
  /// Gives back what is withheld; the message is over or given up.
  void stop(BufferPool& pool) noexcept;

 private:
  void withhold(BufferPool& pool, BufferId buffer, ByteSpan rest) noexcept;
  bool emit_in_place(WorkerContext& worker, SliceQueue& out, const Settled& settled, ByteView& head,
                     std::string_view suffix) noexcept;
  bool emit_rewritten(WorkerContext& worker, SliceQueue& out, const Settled& settled,
                      ByteView& head) noexcept;

  matcher::BodyMasker* masker_ = nullptr;
  std::uint64_t released_bytes_ = 0;
  ByteSpan withheld_;
  BufferId withheld_buffer_ = no_buffer;  ///< no_buffer: they are parked.
  std::vector<std::uint8_t> parked_;
  OutFraming framing_ = OutFraming::none;
  bool begun_ = false;
};

}  // namespace sluice::dataplane
