// One entry of the audit log, encoded once as a deterministic CBOR map.
//
// source   RFC 8949 §4.2.1; keys and types in docs/audit_log.cddl.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"

namespace sluice::audit {

inline constexpr std::size_t record_bytes_max = 60 * 1024;

enum class Phase : std::uint8_t {
  intent = 1,         ///< An operation was judged; nothing of it has left yet.
  outcome = 2,        ///< The same operation is over.
  session = 3,        ///< A client connection opened or closed without an operation to name.
  control = 4,        ///< Start, reload, drain, stop: something the gateway itself did.
  heartbeat = 5,      ///< The gateway runs, and how far its clock can be trusted.
  approval = 6,       ///< What became of an operation that waits for people, and who decided.
  gap = 7,            ///< Something may be missing here that no sequence number shows.
  discontinuity = 8,  ///< The log begins behind another one (audit/succession.h).
};

enum class RulingKind : std::uint8_t { allow = 1, deny = 2, hold = 3 };

/// Who acts for a principal: one link of a delegation.
struct Actor {
  std::string_view subject;
  std::string_view issuer;
};

/// How often one mask rule changed something.
struct MaskCount {
  std::string_view rule;
  std::uint32_t count = 0;
};

/// Views only; every text has been masked by the caller. An empty view, a zero
/// or an absent flag leaves its key out, except where the CDDL says "always".
struct Record {
  Phase phase = Phase::intent;
  Now time;
  std::uint64_t session = 0;        ///< Unique per gateway process epoch and worker.
  std::uint64_t operation = 0;      ///< Counts within the session from 1.
  std::uint64_t configuration = 0;  ///< Generation of the snapshot that judged.
  ByteView policy;                  ///< Digest of the policy in force.

  // Who (intent).
  std::string_view subject;
  std::string_view issuer;
  std::string_view proof;          ///< "api-key", "none", …
  std::string_view credential_id;  ///< Key id, never the key.
  std::span<const std::string_view> groups;
  std::span<const Actor> delegation;  ///< Who acts for the subject, nearest first.
  ByteView certificate;               ///< SHA-256 of the one that the client showed in TLS.
  std::string_view peer;              ///< "192.0.2.7:50123"

  // What (intent).
  std::string_view listener;
  std::string_view target;
  std::string_view protocol;  ///< "http"
  std::string_view verb;      ///< Method
  std::string_view resource;  ///< Normalised and masked path and query.
  std::string_view host;
  /// The operation as it came, in pieces. Only its keyed digest is recorded.
  std::span<const std::string_view> unmasked;

  // Ruling (intent).
  RulingKind ruling = RulingKind::deny;
  std::string_view rule;
  std::string_view reason;  ///< Why it was refused, for people; no input text.

  // Outcome.
  std::uint32_t status = 0;
  std::string_view result;      ///< "ok", "client-aborted", "upstream-failed", …
  std::uint64_t bytes_in = 0;   ///< Body bytes from the client.
  std::uint64_t bytes_out = 0;  ///< Body bytes released to the client.
  std::uint64_t rows_in = 0;    ///< Rows that a database says it wrote.
  std::uint64_t rows_out = 0;   ///< Rows released to the client.
  Duration duration;
  std::string_view upstream;       ///< Address used.
  std::string_view upstream_user;  ///< Whom the target takes the gateway for.
  std::span<const MaskCount> masks;

  // Control and session.
  std::string_view event;  ///< "started", "reloaded", "drained", …
  std::string_view detail;

  // The end of a session.
  std::uint64_t operations = 0;
  std::uint64_t first_sequence = 0;  ///< Of its records; the last one is before this record.
  std::uint64_t last_sequence = 0;

  std::string_view recording;  ///< That holds the operation, or that an event is about.
  // Of an operation that people decide on.
  std::string_view approval;  ///< The request's name.
  ByteView binding;           ///< The digest that the approval is bound to; 32 bytes.
};

/// Added by the worker's log, not by the caller.
struct Stamp {
  std::array<std::uint8_t, 16> salt{};
  std::uint64_t epoch = 0;     ///< Random per process start.
  std::uint64_t sequence = 0;  ///< Dense per worker and epoch, from 1.
  std::uint32_t worker = 0;
  std::array<std::uint8_t, 32> digest{};  ///< Of Record::unmasked, when there is any.
};

/// Upper bound of the encoding's size.
std::size_t encoded_bytes_max(const Record& record) noexcept;

/// Writes the record to `out` (at least encoded_bytes_max) and returns its size.
std::size_t encode(const Record& record, const Stamp& stamp, ByteSpan out) noexcept;

}  // namespace sluice::audit
