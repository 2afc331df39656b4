// sluice verify: is this audit log, or evidence package, what was signed, and whole?
#include <nlohmann/json.hpp>

#include "audit/reader.h"
#include "audit/segment.h"
#include "audit/verify.h"
#include "base/timestamp.h"
#include "cli/key_line.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "evidence/package.h"
#include "recordings/check.h"

namespace sluice::cli {
namespace {

nlohmann::ordered_json removals_json(const audit::VerifyReport& report) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& one : report.removals) {
    out.push_back({{"segment", one.segment},
                   {"first_record", one.first_record},
                   {"end_record", one.end_record},
                   {"named_by", one.named_by}});
  }
  return out;
}

nlohmann::ordered_json json_of(const audit::VerifyReport& report, bool has_trusted_key) {
  return {{"ok", report.ok},
          {"fault", report.fault},
          {"where", report.where},
          {"records", report.records},
          {"checkpoints", report.checkpoints},
          {"segments", report.segments},
          {"unsigned_tail_records", report.unsigned_tail_records},
          {"witnessed_records", report.witnessed_records},
          {"seen_records", report.seen_records},
          {"seals", report.seals},
          {"gaps", report.gaps},
          {"seal_chains", report.seal_chains},
          {"timestamps", report.timestamps},
          {"removals", removals_json(report)},
          {"root", report.root_hex},
          {"trusted_key", has_trusted_key}};
}

void print_json(const audit::VerifyReport& report, bool has_trusted_key) {
  fmt::print("{}\n", json_of(report, has_trusted_key).dump());
}

nlohmann::ordered_json recordings_json(const recordings::CheckReport& report) {
  return {{"recordings", report.recordings},
          {"chunks", report.chunks},
          {"unfinished", report.unfinished},
          {"removed", report.removed}};
}

void print_removed(std::uint64_t recordings) {
  if (recordings == 0) return;
  fmt::print("{} of them removed, as records say\n", recordings);
}

void print_text(const recordings::CheckReport& report) {
  if (!report.fault.empty()) {
    fmt::print("NOT VERIFIED: {}\n  at {}\n", report.fault, report.where);
    return;
  }
  fmt::print("verified: {} in {}\n", counted(report.recordings, "recording"),
             counted(report.chunks, "chunk"));
  if (report.unfinished != 0) {
    fmt::print("{} of them without an end yet\n", report.unfinished);
  }
  print_removed(report.removed);
}

void print_gaps(std::uint64_t gaps) {
  if (gaps == 0) return;
  fmt::print("{} in it, where records may be missing, as records of phase gap say\n",
             counted(gaps, "gap"));
}

void print_seen(std::uint64_t records) {
  if (records == 0) return;
  fmt::print("it continues the checkpoint that you saw, of {}\n", counted(records, "record"));
}

void print_key_advice(std::string_view place) {
  fmt::print(
      "checked with the key stored {0}, which whoever replaced the {1} could\n"
      "have replaced too; give the key you trust with --key\n",
      place, place.starts_with("beside") ? "log" : "package");
}

void print_text(const audit::VerifyReport& report, bool has_trusted_key) {
  if (!report.ok) {
    fmt::print("NOT VERIFIED: {}\n  at {}\n", report.fault, report.where);
    return;
  }
  fmt::print("verified: {} in {} under {}\n", counted(report.records, "record"),
             counted(report.segments, "segment"), counted(report.checkpoints, "signed checkpoint"));
  fmt::print("root: {}\n", report.root_hex);
  for (const auto& one : report.removals) {
    fmt::print("records {} to {} were removed, as record {} says\n", one.first_record,
               one.end_record - 1, one.named_by);
  }
  if (report.unsigned_tail_records != 0) {
    fmt::print("after the last checkpoint, not signed yet: {}\n",
               counted(report.unsigned_tail_records, "record"));
  }
  if (report.witnessed_seconds != 0) {
    const WallTime seen{static_cast<std::int64_t>(report.witnessed_seconds) * 1'000'000'000};
    fmt::print("the witness saw {} at {}\n", counted(report.witnessed_records, "record"),
               timestamp_text(seen));
  }
  print_gaps(report.gaps);
  print_seen(report.seen_records);
  if (report.seals != 0) {
    fmt::print("sealed {}, in {}\n", counted(report.seals, "time"),
               counted(report.seal_chains, "chain"));
  }
  if (report.timestamps != 0) {
    fmt::print("it passes through what {} about; openssl ts -verify says whose\n",
               report.timestamps == 1 ? "a timestamp is"
                                      : fmt::format("{} timestamps are", report.timestamps));
  }
  if (!has_trusted_key) print_key_advice("beside the log");
}

nlohmann::ordered_json witnesses_json(const evidence::PackageReport& report) {
  auto out = nlohmann::ordered_json::array();
  for (const evidence::SeenBy& one : report.witnesses) {
    out.push_back({{"name", one.witness}, {"time", timestamp_text(one.when)}});
  }
  return out;
}

void print_json(const evidence::PackageReport& report, bool has_trusted_key) {
  const nlohmann::ordered_json page{{"ok", report.ok},
                                    {"fault", report.fault},
                                    {"where", report.where},
                                    {"kind", report.is_filtered ? "filtered" : "complete"},
                                    {"from", report.from},
                                    {"until", report.until},
                                    {"first_record", report.records.first_record},
                                    {"end_record", report.records.end_record},
                                    {"records_shown", report.records.records_shown},
                                    {"log_records", report.records.log_records},
                                    {"root", report.root_hex},
                                    {"seals", report.seals},
                                    {"gaps", report.gaps},
                                    {"recordings", report.recordings},
                                    {"chunks", report.chunks},
                                    {"removed_recordings", report.removed_recordings},
                                    {"timestamps", report.timestamps.size()},
                                    {"witnesses", witnesses_json(report)},
                                    {"witnessed_records", report.witnessed_records},
                                    {"seen_records", report.seen_records},
                                    {"trusted_key", has_trusted_key}};
  fmt::print("{}\n", page.dump());
}

void print_text(const evidence::PackageReport& report, bool has_trusted_key) {
  if (!report.ok) {
    fmt::print("NOT VERIFIED: {}\n  at {}\n", report.fault, report.where);
    return;
  }
  fmt::print("verified: {} package, records {} to {} of {} in the log, {} shown\n",
             report.is_filtered ? "filtered" : "complete", report.records.first_record,
             report.records.end_record, report.records.log_records, report.records.records_shown);
  fmt::print("from {} until {}\n", report.from.empty() ? "the log's beginning" : report.from,
             report.until.empty() ? "the log's end" : report.until);
  fmt::print("root of the log: {}\n", report.root_hex);
  if (!report.timestamps.empty()) {
    fmt::print("{}, the last of {}; openssl ts -verify says whose\n",
               counted(report.timestamps.size(), "timestamp"),
               timestamp_text(report.timestamps.back()));
  }
  for (const evidence::SeenBy& one : report.witnesses) {
    fmt::print("the witness {} saw {} at {}\n", one.witness,
               counted(report.witnessed_records, "record"), timestamp_text(one.when));
  }
  print_gaps(report.gaps);
  if (report.recordings != 0) {
    fmt::print("{} of {} inside, encrypted: sluice replay shows them, and age -d opens them\n",
               counted(report.chunks, "chunk"), counted(report.recordings, "recording"));
    print_removed(report.removed_recordings);
  }
  print_seen(report.seen_records);
  if (!has_trusted_key) print_key_advice("in the package");
}

/// Nothing wanted, or what the file holds.
Result<std::string> seen_checkpoint(const std::string& path) {
  if (path.empty()) return std::string();
  auto note = audit::read_small_file(path);
  if (!note) return tl::unexpected(note.error());
  if (!*note || (*note)->empty()) return fail(fmt::format("there is no checkpoint in '{}'", path));
  return std::move(**note);
}

/// Prints what verifying found.
template <class Report>
ExitCode show(const Result<Report>& report, const VerifyOptions& options, bool has_trusted_key) {
  if (!report) return complain("verify", report.error().message, ExitCode::failed);
  options.json ? print_json(*report, has_trusted_key) : print_text(*report, has_trusted_key);
  return report->ok ? ExitCode::ok : ExitCode::not_verified;
}

/// What the log says of recordings, held against the folder they are in.
/// signed_records   of the log: behind them anybody can have said that one was removed.
Result<recordings::CheckReport> check_recordings(const VerifyOptions& options,
                                                 std::uint64_t signed_records) {
  const auto source = recordings::ChunkSource::of_directory(options.recordings);
  if (!source) return tl::unexpected(source.error());
  recordings::RecordingCheck check;
  const auto read = audit::read_records(
      options.path, 0,
      [&check, signed_records](std::uint64_t index, ByteView bytes) {
        const auto record = audit::fields_of(bytes);
        const bool is_believed =
            index < signed_records || (record && record->event != recordings::removed_event);
        if (record && is_believed) check.add(*record);
        return true;
      },
      [&check](std::uint64_t, const audit::RemovedRecords&) {
        check.allow_missing_before();
        return true;
      });
  if (!read) return tl::unexpected(read.error());
  return check.compare(*source);
}

ExitCode verify_log(const VerifyOptions& options, const std::string& key,
                    const std::string& witness, const std::string& seen) {
  const auto report = audit::verify(options.path, key, witness, seen);
  if (options.recordings.empty() || !report || !report->ok) {
    return show(report, options, !key.empty());
  }
  const auto found = check_recordings(options, report->records);
  if (!found) return complain("verify", found.error().message, ExitCode::failed);
  if (options.json) {
    auto page = json_of(*report, !key.empty());
    page["ok"] = found->fault.empty();
    page["fault"] = found->fault;
    page["where"] = found->where;
    page["recordings"] = recordings_json(*found);
    fmt::print("{}\n", page.dump());
  } else {
    print_text(*report, !key.empty());
    print_text(*found);
  }
  return found->fault.empty() ? ExitCode::ok : ExitCode::not_verified;
}

}  // namespace

ExitCode perform(const VerifyOptions& options) {
  const auto key = key_line(options.key);
  if (!key) return complain("verify", key.error().message, ExitCode::failed);
  const auto witness = key_line(options.witness);
  if (!witness) return complain("verify", witness.error().message, ExitCode::failed);
  const auto seen = seen_checkpoint(options.seen);
  if (!seen) return complain("verify", seen.error().message, ExitCode::failed);
  std::error_code ignored;
  const bool is_log = std::filesystem::is_directory(options.path, ignored);
  if (is_log) return verify_log(options, *key, *witness, *seen);
  if (!options.recordings.empty()) {
    return complain("verify", "a package has its recordings inside: leave out --recordings",
                    ExitCode::usage);
  }
  return show(evidence::verify_package(options.path, *key, *witness, *seen), options,
              !key->empty());
}

}  // namespace sluice::cli
