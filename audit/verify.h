// Offline verification of an audit directory, and reading it record by record.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

struct VerifyReport {
  bool ok = false;
  std::string fault;  ///< First fault, in words; empty when ok.
  std::string where;  ///< File and byte offset, record index.
  std::uint64_t records = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t segments = 0;
  std::uint64_t unsigned_tail_records =
      0;  ///< After the last checkpoint (a running or killed gateway).
  std::uint64_t unsigned_tail_bytes = 0;  ///< All bytes there, torn frames included.
  /// What the witness saw last, and when, in seconds since 1970.
  std::uint64_t witnessed_records = 0;
  std::uint64_t witnessed_seconds = 0;
  std::uint64_t seen_records = 0;  ///< Of the checkpoint that was seen before.
  /// Segments that retention removed, each as a record of the log says.
  struct Removal {
    std::uint64_t segment = 0;
    std::uint64_t first_record = 0;
    std::uint64_t end_record = 0;  ///< Not included. Records of retention itself are still there.
    std::uint64_t named_by = 0;    ///< Index of the record.
  };
  std::vector<Removal> removals;
  std::uint64_t gaps = 0;         ///< Records of phase gap.
  std::uint64_t seals = 0;        ///< In it; see seal.h.
  std::uint64_t seal_chains = 0;  ///< How often they began.
  std::uint64_t timestamps = 0;   ///< Beside the log, of checkpoints that it passes through.
  std::string root_hex;
  std::string key;               ///< Verifier line the signatures were checked with.
  bool key_is_from_log = false;  ///< It came from the directory itself: proves consistency only.
};

/// Checks every frame, leaf, sequence, chain and signature.
/// verifier_key  a C2SP vkey line; empty takes the one stored beside the log,
///               which proves consistency but not who signed: the report says so.
/// errors        the directory cannot be read (not a verification result).
/// witness_key   of a witness that must have seen the log; empty: none.
/// seen          a checkpoint of the log, kept elsewhere, that it must still continue.
Result<VerifyReport> verify(const std::filesystem::path& directory, const std::string& verifier_key,
                            const std::string& witness_key = {}, const std::string& seen = {});

/// One record as a JSON object in one line, keys named as in the CDDL.
Result<std::string> to_json(ByteView record);

}  // namespace sluice::audit
