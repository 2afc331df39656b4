// An evidence package: a range of the audit log in one file, with what proves it.
// docs/evidence.md has the format.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/age_recipient.h"
#include "audit/keys.h"
#include "audit/log_signer.h"
#include "audit/record_fields.h"
#include "audit/sha256.h"
#include "base/instant.h"
#include "base/result.h"
#include "evidence/nameless_file.h"
#include "evidence/witnesses.h"
#include "recordings/folder.h"

namespace sluice::evidence {

inline constexpr std::string_view manifest_name = "manifest.json";
inline constexpr std::string_view signature_name = "manifest.json.sig";
inline constexpr std::string_view checkpoint_name = "checkpoint";
inline constexpr std::string_view signers_name = "allowed_signers";
inline constexpr std::string_view report_name = "report.html";
inline constexpr std::string_view script_name = "verify.py";
inline constexpr std::string_view records_name = "records.cbor";
/// The checkpoint that witnesses saw last, with their lines, and who they are.
inline constexpr std::string_view cosigned_member = "cosigned";
inline constexpr std::string_view witness_policy_member = "witness_policy";

/// The files of a timestamp.
std::string timestamp_note_member(std::uint64_t log_records);
std::string timestamp_response_member(std::uint64_t log_records);
/// The folder of recordings, and the file of a chunk.
inline constexpr std::string_view recordings_folder = "recordings/";
std::string chunk_member(std::string_view recording, const recordings::ChunkFile& chunk);
/// The file of the policy with this digest.
std::string policy_member(const audit::Hash& digest);

struct PackageOptions {
  std::filesystem::path directory;  ///< Of the log.
  Workplace place;
  /// Not empty: chunks of recordings that shown records tell of go with it, from here.
  std::filesystem::path recordings;
  std::string from;   ///< RFC 3339 in UTC with nine decimals; empty: no bound.
  std::string until;  ///< Likewise; records at this time are behind the range.
  /// Not empty: of the range, records that are wanted are shown, of the others only
  /// their hashes.
  std::vector<std::pair<std::string, std::string>> filter;
  std::function<bool(const audit::RecordFields&)> wants;
  /// Not empty: only they can open it, with age.
  std::vector<audit::AgeRecipient> recipients;
  /// The text of audit.witness_policy: what these witnesses say goes with the package.
  std::string witness_policy;
  WallTime made;
};

struct PackageSummary {
  std::uint64_t first_record = 0;
  std::uint64_t end_record = 0;
  std::uint64_t records_shown = 0;
  std::uint64_t log_records = 0;
};

struct MadePackage {
  PackageSummary summary;
  NamelessFile file;
};

/// Reads the log twice, from its beginning. The log may be in use, and so may its signer.
/// errors   it cannot be read or written, was made with another key, or does not add up; or the
///          workplace ends it.
Result<MadePackage> make_package(const PackageOptions& options, audit::LogSigner& signer);

struct PackageReport {
  bool ok = false;
  std::string fault;  ///< First fault, in words; empty when ok.
  std::string where;  ///< File in the package, and record.
  bool is_filtered = false;
  std::string from;
  std::string until;
  PackageSummary records;
  /// When authorities say that checkpoints existed, the first first.
  std::vector<WallTime> timestamps;
  /// Who saw the log up to which record, if anybody did.
  std::vector<SeenBy> witnesses;
  std::uint64_t witnessed_records = 0;
  std::uint64_t seals = 0;       ///< Among the records shown; see audit/seal.h.
  std::uint64_t gaps = 0;        ///< Among the records shown.
  std::uint64_t recordings = 0;  ///< Of which it has chunks; encrypted, as they are kept.
  std::uint64_t chunks = 0;
  std::uint64_t removed_recordings = 0;  ///< Of those recordings: records say that they are.
  std::string root_hex;
  std::string key;
  std::uint64_t seen_records = 0;  ///< Of the checkpoint that was seen before.
};

/// key      a verifier line; empty takes the one inside, which proves only that the
///          package is consistent with itself.
/// witness  a witness's line, who must have seen the log up to a record of the range or
///          behind it; empty: nobody must.
/// kept     a checkpoint of the log, kept elsewhere, that the package must show to be a
///          state of the same log; empty: none.
/// errors   the file cannot be read as a zip, or a key or the checkpoint is none.
Result<PackageReport> verify_package(const std::filesystem::path& path, const std::string& key,
                                     const std::string& witness = {}, const std::string& kept = {});

}  // namespace sluice::evidence
