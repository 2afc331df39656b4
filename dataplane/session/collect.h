// Body bytes of the first received buffer, decoded and moved together in place.
#pragma once

#include <cstring>

#include "base/assert.h"
#include "dataplane/inbox.h"
#include "dataplane/session/body_relay.h"
#include "dataplane/session/worker_context.h"

namespace sluice::dataplane {

/// Consumes what the decoder understands of the inbox's first buffer. Chunk
/// framing between pieces is overwritten, so that the matcher sees the payload
/// as one run. The buffer that the payload lies in is at the front afterwards,
/// perhaps empty.
template <class Decoder>
Collected collect(WorkerContext& worker, Inbox& inbox, Decoder& decoder,
                  std::size_t trailer_bytes_max) {
  using Kind = http1::Step::Kind;
  Collected collected;
  std::uint8_t* const begin = inbox.bytes(worker.chunks).data();
  std::uint8_t* end = begin;
  bool reading = true;
  while (reading) {
    const ByteSpan unread = inbox.bytes(worker.chunks);
    const http1::Step step = decoder.decode(unread, worker.trailer_fields);
    if (step.kind == Kind::data) {
      // The first piece stays where it is; later ones move up to it.
      if (end == begin) {
        const auto skipped = static_cast<std::size_t>(step.data.data() - unread.data());
        collected.payload = unread.subspan(skipped, step.data.size());
        end = collected.payload.data() + step.data.size();
      } else {
        if (end != step.data.data()) std::memmove(end, step.data.data(), step.data.size());
        end += step.data.size();
        collected.payload = {collected.payload.data(), end};
      }
    }
    inbox.consume(worker.chunks, step.size_bytes);
    switch (step.kind) {
      case Kind::data:
        break;
      case Kind::end:
        collected.last = true;
        collected.trailers = step.trailers;
        reading = false;
        break;
      case Kind::needs_more:
        // Only a trailer section has to lie in one piece. To join it may take
        // another buffer, so payload of this one goes first.
        reading = collected.payload.empty() && !inbox.bytes(worker.chunks).empty() &&
                  inbox.join_front(worker.chunks, worker.pool, trailer_bytes_max);
        break;
      case Kind::malformed:
        collected.fault = step.fault;
        reading = false;
        break;
      case Kind::head:
        ASSERT(false);
    }
  }
  const ByteSpan unread = inbox.bytes(worker.chunks);
  const ByteSpan slot = worker.pool.slot(inbox.front());
  if (collected.payload.empty()) collected.payload = {unread.data(), 0};
  collected.free_end =
      unread.empty() ? slot.data() + slot.size() - readable_tail_bytes : unread.data();
  return collected;
}

}  // namespace sluice::dataplane
