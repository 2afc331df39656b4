#include "dataplane/session/postgres_inbox.h"

#include <algorithm>
#include <utility>

#include "matcher/limits.h"

namespace sluice::dataplane {

using postgres::Header;
using postgres::HeaderStep;

void PostgresInbox::push(WorkerContext& worker, BufferId buffer,
                         std::uint32_t size_bytes) noexcept {
  inbox_.push(worker.chunks, buffer, worker.pool.data(buffer), size_bytes);
}

HeaderStep PostgresInbox::peek(WorkerContext& worker, postgres::Side sender) noexcept {
  if (gathers_) {
    HeaderStep step;
    step.kind = HeaderStep::Kind::header;
    step.header = gathered_header_;
    return step;
  }
  for (;;) {
    const HeaderStep step = decode_header(sender, front(worker));
    if (step.kind != HeaderStep::Kind::needs_more || !join(worker, postgres::header_bytes)) {
      return step;
    }
  }
}

std::optional<PostgresInbox::Message> PostgresInbox::whole(WorkerContext& worker,
                                                           const Header& header) {
  const std::size_t size = header.message_bytes();
  if (!gathers_ && size <= buffer_data_bytes_max) {
    while (front(worker).size() < size) {
      if (!join(worker, size)) return std::nullopt;
    }
    return Message{header, front(worker).first(size), inbox_.front()};
  }
  if (!gathers_) {
    gathers_ = true;
    gathered_header_ = header;
    gathered_.reserve(size + readable_tail_bytes);
  }
  for (ByteSpan in = front(worker); !in.empty() && gathered_.size() < size; in = front(worker)) {
    const ByteSpan part = in.first(std::min(in.size(), size - gathered_.size()));
    gathered_.insert(gathered_.end(), part.begin(), part.end());
    take(worker, part.size());
  }
  if (gathered_.size() < size) return std::nullopt;
  return Message{header, gathered_, no_buffer};
}

void PostgresInbox::consume(WorkerContext& worker, const Message& message) noexcept {
  if (message.buffer != no_buffer) return take(worker, message.bytes.size());
  gathers_ = false;
  gathered_ = {};
}

std::size_t PostgresInbox::drop_gathered() noexcept {
  gathers_ = false;
  return std::exchange(gathered_, {}).size();
}

void PostgresInbox::set_aside(WorkerContext& worker, const Message& message) {
  if (message.buffer == no_buffer) return;
  gathers_ = true;
  gathered_header_ = message.header;
  gathered_.reserve(message.bytes.size() + readable_tail_bytes);
  gathered_.assign(message.bytes.begin(), message.bytes.end());
  take(worker, gathered_.size());
  static_cast<void>(front(worker));  // an emptied buffer goes now
}

ByteSpan PostgresInbox::front(WorkerContext& worker) noexcept {
  while (!inbox_.empty()) {
    const ByteSpan bytes = inbox_.bytes(worker.chunks);
    if (!bytes.empty()) return bytes;
    inbox_.drop_front(worker.chunks, worker.pool);
  }
  return {};
}

void PostgresInbox::take(WorkerContext& worker, std::size_t size_bytes) noexcept {
  if (size_bytes != 0) inbox_.consume(worker.chunks, size_bytes);
}

bool PostgresInbox::join(WorkerContext& worker, std::size_t bytes_max) noexcept {
  return !inbox_.empty() && inbox_.join_front(worker.chunks, worker.pool, bytes_max);
}

void PostgresInbox::clear(WorkerContext& worker) noexcept {
  inbox_.clear(worker.chunks, worker.pool);
  gathers_ = false;
  gathered_ = {};
}

}  // namespace sluice::dataplane
