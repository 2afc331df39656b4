// Somebody else's word for when a checkpoint existed: time-stamp queries and responses,
// and the ones kept beside the log.
//
// source   RFC 3161. What a response says of a checkpoint is checked here; whose word it
//          is, `openssl ts -verify` says, to whoever trusts an authority's certificate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audit/sha256.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr std::string_view timestamps_folder = "timestamps";
/// The event of the record of one; its detail begins with how many records it is about.
inline constexpr std::string_view timestamped_event = "timestamped";

/// DER of a TimeStampReq over SHA-256 of `note`, with a nonce; asks for the certificate.
Result<std::string> timestamp_query(std::string_view note);

/// When the authority says that `note` existed.
/// errors   the response is a refusal, or about something else.
Result<WallTime> read_timestamp(std::string_view response, std::string_view note);
/// The same, and it answers `query`.
Result<WallTime> read_timestamp(std::string_view response, std::string_view note,
                                std::string_view query);

/// A checkpoint, as it was signed, and the response about it.
struct Timestamp {
  std::uint64_t log_records = 0;  ///< That the checkpoint signs.
  std::string note;
  std::string response;
};

/// "<20 digits>.checkpoint" and "<20 digits>.tsr"
std::string timestamp_note_name(std::uint64_t log_records);
std::string timestamp_response_name(std::uint64_t log_records);

/// Durable once this returns.
Result<void> keep_timestamp(const std::filesystem::path& directory, const Timestamp& timestamp);
/// Of which checkpoints there are responses, ascending.
Result<std::vector<std::uint64_t>> kept_timestamps(const std::filesystem::path& directory);
Result<Timestamp> load_timestamp(const std::filesystem::path& directory, std::uint64_t log_records);

}  // namespace sluice::audit
