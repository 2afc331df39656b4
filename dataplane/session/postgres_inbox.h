// One side's received bytes, as messages: in the buffer they arrived in where they
// lie in one, else put side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/inbox.h"
#include "dataplane/session/worker_context.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {

class PostgresInbox {
 public:
  /// A message that is there whole. Its bytes may be changed, and live until it is
  /// consumed and, where `buffer` is one, for as long as somebody holds that.
  struct Message {
    postgres::Header header;
    ByteSpan bytes;               ///< Header and body.
    BufferId buffer = no_buffer;  ///< no_buffer: in memory of this inbox.

    [[nodiscard]] ByteSpan body() const noexcept { return bytes.subspan(postgres::header_bytes); }
  };

  /// Takes over the caller's hold.
  void push(WorkerContext& worker, BufferId buffer, std::uint32_t size_bytes) noexcept;
  [[nodiscard]] bool empty() const noexcept { return inbox_.empty() && !gathers_; }
  /// A message that is larger than a buffer is being put side by side.
  [[nodiscard]] bool is_gathering() const noexcept { return gathers_; }
  [[nodiscard]] std::size_t buffers() const noexcept { return inbox_.buffers(); }

  /// The header of the message that comes next.
  postgres::HeaderStep peek(WorkerContext& worker, postgres::Side sender) noexcept;
  /// The message that peek() saw; nothing until all of it is there.
  std::optional<Message> whole(WorkerContext& worker, const postgres::Header& header);
  void consume(WorkerContext& worker, const Message& message) noexcept;
  /// Forgets what was gathered of the message that comes next; returns how many of its bytes
  /// that were. The rest is still to be taken.
  std::size_t drop_gathered() noexcept;
  /// Moves the message into memory of this inbox, where it waits without a buffer: it comes
  /// next again. Views into it die.
  void set_aside(WorkerContext& worker, const Message& message);

  /// What lies next, for the startup packet and for messages taken piece by piece.
  [[nodiscard]] ByteSpan front(WorkerContext& worker) noexcept;
  [[nodiscard]] BufferId front_buffer() const noexcept { return inbox_.front(); }
  void take(WorkerContext& worker, std::size_t size_bytes) noexcept;
  /// Puts more bytes behind the front ones; false when there are none, or no room.
  bool join(WorkerContext& worker, std::size_t bytes_max) noexcept;

  void clear(WorkerContext& worker) noexcept;

 private:
  Inbox inbox_;
  bool gathers_ = false;
  postgres::Header gathered_header_;
  std::vector<std::uint8_t> gathered_;  ///< Of a message larger than a buffer.
};

}  // namespace sluice::dataplane
