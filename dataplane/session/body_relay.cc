#include "dataplane/session/body_relay.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "dataplane/session/worker_context.h"

namespace sluice::dataplane {
namespace {

// What may have to stand before a piece of body in its slot: withheld bytes and
// a chunk's size line. The rest of the headroom is for a message's own head.
static_assert(headroom_bytes >= matcher::withheld_bytes_max + http1::chunk_prefix_bytes_max);
static_assert(tailroom_bytes >= readable_tail_bytes + 16);

constexpr std::string_view chunk_end = "\r\n";
constexpr std::string_view chunk_end_and_last = "\r\n0\r\n\r\n";

/// Queues bytes from scratch memory in a slot of their own.
bool push_copy(WorkerContext& worker, SliceQueue& out, ByteView bytes) noexcept {
  const BufferId buffer = worker.pool.take();
  if (buffer == no_buffer) return false;
  std::memcpy(worker.pool.data(buffer), bytes.data(), bytes.size());
  out.push(worker.pool, buffer, {worker.pool.data(buffer), bytes.size()});
  worker.pool.release(buffer);
  return true;
}

/// Puts the head into the room before `begin` and returns where it begins, so
/// that head and body leave as one slice. What lies there is the message's own
/// received head, which is no longer needed, or headroom. A head that is too
/// long for that goes out on its own.
std::uint8_t* put_before(WorkerContext& worker, SliceQueue& out, BufferId buffer,
                         std::uint8_t* begin, ByteView& head, bool& ok) noexcept {
  const ByteView bytes = std::exchange(head, {});
  if (bytes.empty()) return begin;
  const auto room = static_cast<std::size_t>(begin - worker.pool.slot(buffer).data());
  if (room < bytes.size()) {
    ok = push_copy(worker, out, bytes) && ok;
    return begin;
  }
  std::memcpy(begin - bytes.size(), bytes.data(), bytes.size());
  return begin - bytes.size();
}

/// Output that is built in fresh buffers because it differs in length.
class Rewriter {
 public:
  Rewriter(WorkerContext& worker, SliceQueue& out, ByteView& head, bool chunked) noexcept
      : worker_(worker), out_(out), head_(head), chunked_(chunked) {}
  ~Rewriter() {
    if (buffer_ != no_buffer) worker_.pool.release(buffer_);
  }
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  bool append(ByteView bytes) noexcept {
    while (!bytes.empty()) {
      if (buffer_ == no_buffer && !open()) return false;
      const std::size_t n = std::min(bytes.size(), buffer_data_bytes_max - size_);
      std::memcpy(worker_.pool.data(buffer_) + size_, bytes.data(), n);
      size_ += n;
      bytes = bytes.subspan(n);
      if (size_ == buffer_data_bytes_max && !flush()) return false;
    }
    return true;
  }

  bool flush() noexcept {
    if (buffer_ == no_buffer) return true;
    bool ok = true;
    std::uint8_t* const begin = worker_.pool.data(buffer_);
    std::uint8_t* from = begin;
    std::uint8_t* end = begin + size_;
    if (chunked_) {
      from = http1::write_chunk_prefix_before(begin, size_);
      std::memcpy(end, chunk_end.data(), chunk_end.size());  // the tailroom is ours
      end += chunk_end.size();
    }
    from = put_before(worker_, out_, buffer_, from, head_, ok);
    out_.push(worker_.pool, buffer_, {from, end});
    worker_.pool.release(buffer_);
    buffer_ = no_buffer;
    size_ = 0;
    return ok;
  }

 private:
  bool open() noexcept {
    if (out_.free_slices() < 3) return false;
    buffer_ = worker_.pool.take();
    return buffer_ != no_buffer;
  }

  WorkerContext& worker_;
  SliceQueue& out_;
  ByteView& head_;
  std::size_t size_ = 0;
  BufferId buffer_ = no_buffer;
  bool chunked_;
};

/// The last chunk with its trailer section, in a buffer of its own.
bool push_trailers(WorkerContext& worker, SliceQueue& out, ByteView trailers) noexcept {
  constexpr std::string_view before = "0\r\n";
  if (before.size() + trailers.size() + chunk_end.size() > buffer_data_bytes_max) return false;
  const BufferId buffer = worker.pool.take();
  if (buffer == no_buffer) return false;
  std::uint8_t* const begin = worker.pool.data(buffer);
  std::uint8_t* at = begin;
  for (const ByteView part : {as_bytes(before), trailers, as_bytes(chunk_end)}) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  out.push(worker.pool, buffer, {begin, at});
  worker.pool.release(buffer);
  return true;
}

}  // namespace

std::uint64_t Settled::size_bytes() const noexcept {
  std::uint64_t size = bytes.size();
  for (const auto& edit : edits) size = size - edit.size_bytes + edit.text.size();
  return size;
}

Settled BodyRelay::settle(WorkerContext& worker, BufferId buffer, const Collected& next) noexcept {
  BufferPool& pool = worker.pool;
  ByteSpan payload = next.payload;
  Settled settled{
      Settled::Fault::none, buffer, payload, {}, next.free_end, {}, nullptr, false, next.last};
  if (payload.empty() && !next.last) {
    pool.hold(buffer);
    return settled;
  }
  const bool only_withheld = payload.empty() && !withheld_.empty();
  if (only_withheld) {
    // Nothing came to join the withheld bytes: they move to a slot of their own,
    // where the room before them is free.
    settled.buffer = pool.take();
    if (settled.buffer == no_buffer) {
      settled.fault = Settled::Fault::no_buffers;
      return settled;
    }
    payload = {pool.data(settled.buffer), withheld_.size()};
    settled.free_end = pool.data(settled.buffer) + buffer_data_bytes_max;
  } else {
    pool.hold(buffer);
    if (!withheld_.empty()) {
      ASSERT(buffer != withheld_buffer_);
      payload = {payload.data() - withheld_.size(), payload.size() + withheld_.size()};
    }
  }
  if (!withheld_.empty()) {
    std::memcpy(payload.data(), withheld_.data(), withheld_.size());
    stop(pool);
  }
  settled.bytes = payload;
  begun_ = begun_ || !payload.empty();
  if (masker_ == nullptr || !begun_) return settled;  // an empty body is of no media type

  const matcher::MaskStep step = masker_->mask(payload, next.last, worker.scratch);
  if (step.is_malformed) {
    settled.fault = Settled::Fault::malformed;
    return settled;
  }
  settled.bytes = payload.first(step.settled_bytes);
  settled.edits = step.edits;
  const ByteSpan rest = payload.subspan(step.settled_bytes);
  if (step.is_full) {
    settled.rest = rest;
    settled.rest_free_end = settled.free_end;
    settled.rest_is_last = next.last;
    settled.last = false;
    settled.free_end = rest.data();
  } else if (!rest.empty()) {
    withhold(pool, settled.buffer, rest);
    settled.free_end = rest.data();
  }
  return settled;
}

bool BodyRelay::emit(WorkerContext& worker, SliceQueue& out, Settled& settled, ByteView& head,
                     ByteView trailers) noexcept {
  released_bytes_ += settled.size_bytes();
  const bool chunked = framing_ == OutFraming::chunked;
  const bool ends_plainly = settled.last && trailers.empty();
  bool ok = true;
  if (!settled.edits.empty()) {
    ok = emit_rewritten(worker, out, settled, head);
    if (chunked && ends_plainly) out.push_static(as_bytes(http1::last_chunk));
  } else {
    const std::string_view suffix = !chunked ? std::string_view{}
                                    : settled.bytes.empty()
                                        ? (ends_plainly ? http1::last_chunk : "")
                                    : ends_plainly ? chunk_end_and_last
                                                   : chunk_end;
    ok = emit_in_place(worker, out, settled, head, suffix);
  }
  if (ok && chunked && settled.last && !trailers.empty()) {
    ok = push_trailers(worker, out, trailers);
  }
  Settled next;
  if (ok && !settled.rest.empty()) {
    Collected rest;
    rest.payload = settled.rest;
    rest.free_end = settled.rest_free_end;
    rest.last = settled.rest_is_last;
    next = settle(worker, settled.buffer, rest);
  }
  drop(worker.pool, settled);
  settled = next;
  return ok;
}

void BodyRelay::drop(BufferPool& pool, const Settled& settled) noexcept {
  if (settled.buffer != no_buffer) pool.release(settled.buffer);
}

void BodyRelay::stop(BufferPool& pool) noexcept {
  if (withheld_buffer_ != no_buffer) pool.release(withheld_buffer_);
  withheld_ = {};
  withheld_buffer_ = no_buffer;
}

void BodyRelay::withhold(BufferPool& pool, BufferId buffer, ByteSpan rest) noexcept {
  if (pool.is_scarce()) {
    // A few bytes must not keep a slot while many bodies wait for slots.
    parked_.assign(rest.begin(), rest.end());
    withheld_ = parked_;
    return;
  }
  pool.hold(buffer);
  withheld_ = rest;
  withheld_buffer_ = buffer;
}

bool BodyRelay::emit_in_place(WorkerContext& worker, SliceQueue& out, const Settled& settled,
                              ByteView& head, std::string_view suffix) noexcept {
  std::uint8_t* begin = settled.bytes.data();
  std::uint8_t* end = begin + settled.bytes.size();
  if (framing_ == OutFraming::chunked && !settled.bytes.empty()) {
    begin = http1::write_chunk_prefix_before(begin, settled.bytes.size());
  }
  bool ok = true;
  begin = put_before(worker, out, settled.buffer, begin, head, ok);
  const bool suffix_fits = static_cast<std::size_t>(settled.free_end - end) >= suffix.size();
  if (suffix_fits) end = std::copy(suffix.begin(), suffix.end(), end);  // perhaps nothing
  out.push(worker.pool, settled.buffer, {begin, end});
  if (!suffix_fits) out.push_static(as_bytes(suffix));
  return ok;
}

bool BodyRelay::emit_rewritten(WorkerContext& worker, SliceQueue& out, const Settled& settled,
                               ByteView& head) noexcept {
  Rewriter rewriter(worker, out, head, framing_ == OutFraming::chunked);
  std::size_t done = 0;
  for (const auto& edit : settled.edits) {
    if (!rewriter.append(settled.bytes.subspan(done, edit.offset - done)) ||
        !rewriter.append(as_bytes(edit.text))) {
      return false;
    }
    done = edit.offset + edit.size_bytes;
  }
  if (!rewriter.append(settled.bytes.subspan(done)) || !rewriter.flush()) return false;
  // Edits may have left nothing of the body for the head to go with.
  return head.empty() || push_copy(worker, out, std::exchange(head, {}));
}

}  // namespace sluice::dataplane
