#include "recordings/feed.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace sluice::recordings {
namespace {

/// A block of this size goes at once.
constexpr std::size_t block_bytes = std::size_t{256} << 10;
/// And one of this size at the end of a turn,
constexpr std::size_t block_bytes_usual = std::size_t{64} << 10;
/// or when it is that old.
constexpr Duration block_age_max = milliseconds(50);
/// Longer items are cut, so that a chunk can end between them.
constexpr std::size_t piece_bytes_max = std::size_t{64} << 10;
/// The worker is in the upper bits of a recording's number.
constexpr unsigned worker_shift = 48;

static_assert(std::is_trivially_copyable_v<FrameHead>);

/// What the second piece of such an item is.
ItemKind rest_of(ItemKind kind) noexcept {
  const bool is_message = kind == ItemKind::messages || kind == ItemKind::columns;
  return is_message ? ItemKind::messages_rest : kind;
}

}  // namespace

Feed::Feed(std::uint32_t worker, std::uint64_t backlog_max, const Intake& intake,
           std::function<void(Block)> hand_over)
    : intake_(intake),
      hand_over_(std::move(hand_over)),
      backlog_max_(backlog_max),
      next_(std::uint64_t{worker} << worker_shift) {
  block_.reserve(block_bytes);
}

Handle Feed::open(const Subject& subject) {
  const Handle handle{++next_, intake_.stops.load(std::memory_order_relaxed)};
  const std::string head = encode_head(subject, 0);
  std::ranges::copy(as_bytes(head),
                    append(handle.number, FrameHead::Kind::open, head.size()).begin());
  end_frame(head.size());
  return handle;
}

void Feed::add(const Handle& handle, const Item& item) {
  Item piece = item;
  if (item.content.size() > piece_bytes_max && item.kind == ItemKind::columns) {
    piece.kind = ItemKind::messages;  // it cannot be repeated
  }
  ByteView rest = item.content;
  do {
    piece.content = rest.first(std::min(rest.size(), piece_bytes_max));
    rest = rest.subspan(piece.content.size());
    add_piece(handle, piece);
    piece.kind = rest_of(piece.kind);
  } while (!rest.empty());
}

void Feed::add_piece(const Handle& handle, const Item& item) {
  const ByteSpan room =
      append(handle.number, FrameHead::Kind::item, item.content.size() + item_overhead_max);
  end_frame(encode(item, room));
  if (block_.size() >= block_bytes) finish();
}

void Feed::close(const Handle& handle) {
  if (handle.number == 0) return;
  append(handle.number, FrameHead::Kind::close, 0);
  end_frame(0);
}

void Feed::flush(Instant now) {
  if (block_.empty()) return;
  if (!waits_since_) waits_since_ = now;
  if (block_.size() >= block_bytes_usual || now >= *waits_since_ + block_age_max) finish();
}

void Feed::finish() {
  waits_since_.reset();
  if (block_.empty()) return;
  under_way_.fetch_add(block_.size(), std::memory_order_release);
  hand_over_({this, std::exchange(block_, {})});
  if (returned_.maybe_has_mail()) block_ = std::move(returned_.take().front());
  block_.reserve(block_bytes);
}

void Feed::give_back(std::vector<std::uint8_t> bytes) {
  under_way_.fetch_sub(bytes.size(), std::memory_order_release);
  bytes.clear();
  // One that grew for an item must not be kept.
  if (bytes.capacity() <= 2 * block_bytes) returned_.post(std::move(bytes));
}

/// Room for a frame's content; end_frame() says how much of it was used.
ByteSpan Feed::append(std::uint64_t recording, FrameHead::Kind kind, std::size_t content_max) {
  frame_at_ = block_.size();
  block_.resize(frame_at_ + sizeof(FrameHead) + content_max);
  const FrameHead head{recording, 0, kind};
  std::memcpy(block_.data() + frame_at_, &head, sizeof head);
  return ByteSpan(block_).subspan(frame_at_ + sizeof(FrameHead));
}

void Feed::end_frame(std::size_t content_bytes) {
  const auto size = static_cast<std::uint32_t>(content_bytes);
  std::memcpy(block_.data() + frame_at_ + offsetof(FrameHead, size), &size, sizeof size);
  block_.resize(frame_at_ + sizeof(FrameHead) + content_bytes);
}

}  // namespace sluice::recordings
