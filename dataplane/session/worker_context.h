// What all sessions of one worker share: its buffers, scratch memory, log and clock.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "audit/worker_log.h"
#include "base/fingerprint.h"
#include "base/instant.h"
#include "dataplane/inbox.h"
#include "dataplane/metrics.h"
#include "dataplane/replay_filter.h"
#include "dataplane/session/column_catalog.h"
#include "dataplane/session/exchange.h"
#include "dataplane/session/failed_proofs.h"
#include "dataplane/session/masked_host.h"
#include "dataplane/session/proof_cache.h"
#include "dataplane/session/rate_limiter.h"
#include "dataplane/session/scram_keys_cache.h"
#include "dataplane/session/session_log.h"
#include "dataplane/session/snapshot_view.h"
#include "dataplane/session/statement_judge.h"
#include "dataplane/session/token_proofs.h"
#include "matcher/scratch.h"
#include "parsers/http1/message.h"
#include "recordings/feed.h"

namespace sluice::dataplane {

/// Longest head the gateway writes: what a client or target may send, and what
/// the gateway adds.
inline constexpr std::size_t head_bytes_max = 25 * 1024;
static_assert(head_bytes_max <= buffer_data_bytes_max);
/// Masked bodies up to this size are awaited whole, to keep their Content-Length.
inline constexpr std::size_t gathered_body_bytes_max = 8 * 1024;

/// Longest masked text of one record field.
inline constexpr std::size_t record_text_bytes_max = 4 * 1024;

struct WorkerContext {
  WorkerContext(BufferPool& buffers, audit::WorkerLog& worker_log, WorkerMetrics& worker_metrics)
      : pool(buffers), chunks(buffers.size()), log(worker_log), metrics(worker_metrics) {}

  /// Grows scratch memory to what operations under `snapshot` need.
  void make_room_for(const Snapshot& snapshot);

  BufferPool& pool;
  ChunkTable chunks;
  audit::WorkerLog& log;
  WorkerMetrics& metrics;
  matcher::Scratch scratch;       ///< For bodies: a step's edits live in it until they are queued.
  matcher::Scratch text_scratch;  ///< For heads and records, in between.
  ExchangePool exchanges;
  ProofCache proofs;
  TokenProofs tokens;
  MaskedHost masked_host;
  const FingerprintKey fingerprint_key = FingerprintKey::random();
  StatementJudge statements{fingerprint_key};
  RateLimiter rates{fingerprint_key};
  FailedProofs failed_proofs{fingerprint_key};
  ScramKeysCache scram_keys;
  CatalogCache catalogs;
  std::uint64_t logins = 0;         ///< At targets, counted.
  SnapshotView* current = nullptr;  ///< New operations are judged by this one.
  Now now;
  SessionEnds session_ends{log, now};
  recordings::Feed* recordings = nullptr;  ///< Null: nothing is recorded.
  ReplayFilter* replays = nullptr;         ///< Null: no proof of a token's key is taken.
  bool draining = false;
  bool can_splice = false;  ///< The transport could begin a splice now.
  bool durable = false;     ///< audit.release: durable

  // Scratch memory of one call; nothing in it outlives the event being handled.
  http1::FieldTable fields;
  http1::FieldTable trailer_fields;  ///< Its head's fields are still needed when they come.
  config::PathSearch path_search;
  std::vector<std::uint32_t> header_hits;  ///< Reserved for every pattern there is.
  std::vector<ByteView> body_pieces;
  std::vector<std::string_view> groups;
  std::vector<std::uint8_t> recorded;  ///< A piece of a body as it left.
  std::vector<audit::Actor> actors;
  std::array<std::string_view, 3> unmasked;  ///< Of an operation, for its digest.
  std::array<audit::MaskCount, matcher::rules_max> mask_counts;
  std::array<std::uint8_t, head_bytes_max> head_room;
  std::array<std::uint8_t, head_bytes_max> trailer_room;
  std::array<std::uint8_t, head_bytes_max + readable_tail_bytes> text_room;
  std::array<std::uint8_t, 17 * 1024> target_room;
  std::array<std::uint8_t, 4 * record_text_bytes_max> record_room;
};

}  // namespace sluice::dataplane
