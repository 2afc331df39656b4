#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "audit/cbor.h"
#include "audit/checkpoint.h"
#include "audit/compact_range.h"
#include "audit/cosignature.h"
#include "audit/policy_store.h"
#include "audit/reader.h"
#include "audit/record_view.h"
#include "audit/segment.h"
#include "audit/timestamps.h"
#include "audit/verify.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "evidence/archive.h"
#include "evidence/encrypted.h"
#include "evidence/manifest.h"
#include "evidence/package.h"
#include "evidence/recorded_chunks.h"
#include "evidence/report.h"
#include "evidence/ssh_signature.h"
#include "evidence/verify_script.h"
#include "evidence/witnesses.h"

namespace sluice::evidence {
namespace {

std::string time_text(ByteView record) {
  const auto origin = audit::origin_of(record);
  return origin ? timestamp_text({static_cast<std::int64_t>(origin->time_ns)}, 9) : std::string();
}

class Maker {
 public:
  /// verifier   of the signer, for this thread: a Verifier is not to be shared.
  Maker(const PackageOptions& options, audit::LogSigner& signer, audit::Verifier verifier,
        std::shared_ptr<Room> room, NamelessFile records)
      : options_(options),
        signer_(signer),
        verifier_(std::move(verifier)),
        room_(std::move(room)),
        records_(std::move(records)) {}

  Result<MadePackage> run() {
    // What witnesses saw is read before the checkpoint: so it is never ahead of that.
    for (auto step : {&Maker::find_recordings, &Maker::read_cosigned, &Maker::read_checkpoint,
                      &Maker::find_range, &Maker::find_timestamps, &Maker::place_cosigned,
                      &Maker::read_range}) {
      if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());
    }
    return write();
  }

 private:
  /// Before the records are read: what they tell of is there then.
  Result<void> find_recordings() {
    auto chunks = RecordedChunks::from(options_.recordings);
    if (!chunks) return tl::unexpected(chunks.error());
    chunks_ = std::move(*chunks);
    return {};
  }

  Result<void> read_cosigned() {
    if (options_.witness_policy.empty()) return {};
    const auto text = audit::read_small_file(options_.directory / audit::cosigned_name);
    if (!text) return fail(text.error().message);
    if (!*text) return {};
    auto cosigned = audit::parse_cosigned(**text);
    if (!cosigned) return tl::unexpected(cosigned.error());
    cosigned_.emplace(std::move(*cosigned));
    return {};
  }

  Result<void> read_checkpoint() {
    const auto note = audit::read_stable_file(options_.directory / audit::checkpoint_name);
    if (!note) return fail(note.error().message);
    if (!*note) return fail(fmt::format("{} holds no audit log", options_.directory.string()));
    note_ = **note;
    const auto parsed = audit::parse_checkpoint(note_);
    if (!parsed) return fail("the checkpoint file: " + parsed.error().message);
    if (auto genuine = parsed->check(verifier_); !genuine) {
      return fail("the log was made with another key: " + genuine.error().message);
    }
    manifest_.origin = verifier_.origin();
    manifest_.key = verifier_.line();
    manifest_.made = timestamp_text(options_.made);
    manifest_.from = options_.from;
    manifest_.until = options_.until;
    manifest_.filter = options_.filter;
    manifest_.log_records = parsed->checkpoint.size;
    manifest_.log_root = parsed->checkpoint.root;
    return {};
  }

  Result<void> read_all(const audit::LogReader::Each& each,
                        const audit::LogReader::Removed& removed) {
    if (manifest_.log_records == 0) return {};
    Result<void> goes_on;
    const auto read = audit::read_records(
        options_.directory, 0,
        [&](std::uint64_t index, ByteView record) {
          goes_on = room_->goes_on();
          return goes_on && each(index, record) && index + 1 < manifest_.log_records;
        },
        removed);
    if (!goes_on) return goes_on;
    if (!read) return fail(read.error().message);
    if (*read < manifest_.log_records) return fail("the log ends early; see sluice verify");
    return {};
  }

  /// The range, and one record more on either side where there is one: they show that
  /// nothing before or behind them falls into it. Where retention removed records and no
  /// beginning is asked for, the range begins behind the first record that it left.
  Result<void> find_range() {
    std::uint64_t first = manifest_.log_records;
    std::uint64_t end = 0;
    bool is_first_left = false;
    auto done = read_all(
        [&](std::uint64_t index, ByteView record) {
          const std::string time = time_text(record);
          if (is_first_left) note_first_left(record);
          is_first_left = false;
          if (time >= manifest_.from) first = std::min(first, index);
          if (options_.until.empty() || time < options_.until) end = index + 1;
          return true;
        },
        [&](std::uint64_t begin, const audit::RemovedRecords& removed) {
          if (is_first_left) {
            gaps_.back().end = removed.end;
          } else {
            gaps_.push_back({begin, removed.end, {}});
          }
          is_first_left = true;
          if (options_.from.empty()) {
            first = manifest_.log_records;
            end = 0;
          }
          return true;
        });
    if (!done) return done;
    end = std::max(first, end);
    manifest_.first_record = first - std::min<std::uint64_t>(first, 1);
    manifest_.end_record = std::min(end + 1, manifest_.log_records);
    // Nothing is left before its end.
    const bool is_over = !options_.until.empty() && manifest_.from >= options_.until;
    const auto gap = std::ranges::find_if(gaps_.rbegin(), gaps_.rend(), [&](const Gap& one) {
      return is_over || (one.begin < manifest_.end_record && manifest_.first_record < one.end);
    });
    if (gap == gaps_.rend()) return {};
    return fail(fmt::format("retention removed records {} to {}; a range may begin behind {}",
                            gap->begin, gap->end - 1, gap->until));
  }

  void note_first_left(ByteView record) {
    gaps_.back().until = time_text(record);
    const auto origin = audit::origin_of(record);
    if (!options_.from.empty() || !origin) return;
    manifest_.from = timestamp_text({static_cast<std::int64_t>(origin->time_ns) + 1}, 9);
  }

  /// Those within the range, and the next one: it covers the range's last records.
  Result<void> find_timestamps() {
    const auto kept = audit::kept_timestamps(options_.directory);
    if (!kept) return fail(kept.error().message);
    for (const std::uint64_t size : *kept) {
      if (size <= manifest_.first_record) continue;
      if (size > manifest_.log_records) break;
      auto timestamp = audit::load_timestamp(options_.directory, size);
      if (!timestamp) return fail(timestamp.error().message);
      manifest_.timestamps.push_back({size, {}});
      members_.push_back({timestamp_note_member(size), std::move(timestamp->note)});
      members_.push_back({timestamp_response_member(size), std::move(timestamp->response)});
      if (size >= manifest_.end_record) break;
    }
    return {};
  }

  /// Witnesses say something of the range when they saw any of its records.
  Result<void> place_cosigned() {
    if (!cosigned_ || cosigned_->log.checkpoint.size <= manifest_.first_record) return {};
    if (cosigned_->log.checkpoint.size > manifest_.log_records) {
      return fail("witnesses saw more of the log than there is: it was rolled back, or cut");
    }
    const auto policy = audit::WitnessPolicy::parse(options_.witness_policy);
    if (!policy) return fail("the witness policy: " + policy.error().message);
    std::string text = cosigned_by(*policy, *cosigned_);
    if (text.empty()) return {};
    const auto seen = audit::parse_cosigned(text);
    const auto witnesses = seen ? check_cosigned(*policy, *seen) : tl::unexpected(seen.error());
    if (!witnesses) return tl::unexpected(witnesses.error());
    manifest_.cosigned = SeenCheckpoint{cosigned_->log.checkpoint.size, {}};
    report_.add_witnesses(*witnesses);
    members_.push_back({std::string(cosigned_member), std::move(text)});
    members_.push_back({std::string(witness_policy_member), options_.witness_policy});
    return {};
  }

  Result<void> read_range() {
    audit::CompactRange left(0);
    audit::CompactRange all(0);
    audit::CompactRange right(manifest_.end_record);
    std::string fault;
    const auto add_record = [&](std::uint64_t index, ByteView record) {
      const audit::Hash leaf = audit::leaf_hash(record);
      all.append_leaf(leaf);
      if (const auto fields = audit::fields_of(record)) chunks_.look(index, *fields);
      if (index < manifest_.first_record) {
        left.append_leaf(leaf);
      } else if (index >= manifest_.end_record) {
        right.append_leaf(leaf);
        note_seen(right);
      } else {
        fault = add(record, leaf);
      }
      return fault.empty();
    };
    const auto add_removed = [&](std::uint64_t begin, const audit::RemovedRecords& removed) {
      const bool is_left = removed.end <= manifest_.first_record;
      // Nothing of the range was missing when it was sought.
      if (!is_left && begin < manifest_.end_record) fault = "records were removed meanwhile";
      audit::CompactRange& side = is_left ? left : right;
      if (!fault.empty()) return false;
      if (!all.append_range(removed.end, removed.hashes) ||
          !side.append_range(removed.end, removed.hashes)) {
        fault = "what stays of removed segments does not add up; see sluice verify";
      }
      if (!is_left) note_seen(right);
      return fault.empty();
    };
    auto done = read_all(add_record, add_removed);
    if (!done && fault.empty()) return done;
    if (!fault.empty()) return fail(fault);
    if (all.root() != manifest_.log_root) {
      return fail("the log's records are not what its checkpoint signs; see sluice verify");
    }
    manifest_.left = left.hashes();
    manifest_.right = right.hashes();
    return {};
  }

  /// What leads from the range to the checkpoints behind it that somebody saw.
  void note_seen(const audit::CompactRange& right) {
    auto& timestamps = manifest_.timestamps;
    if (!timestamps.empty() && timestamps.back().log_records == right.end()) {
      timestamps.back().after = right.hashes();
    }
    if (manifest_.cosigned && manifest_.cosigned->log_records == right.end()) {
      manifest_.cosigned->after = right.hashes();
    }
  }

  static std::string fault_of(const Result<void>& done) {
    return done ? std::string() : done.error().message;
  }

  /// What is wrong with the record; empty when nothing is.
  std::string add(ByteView record, const audit::Hash& leaf) {
    const auto fields = audit::fields_of(record);
    const auto json = audit::to_json(record);
    if (!fields || !json) return json ? "not a record" : json.error().message;
    if (manifest_.is_filtered() && !options_.wants(*fields)) {
      std::array<std::uint8_t, audit::cbor::head_bytes_max + sizeof(audit::Hash)> room;
      audit::cbor::Writer out(room.data());
      out.bytes(leaf);
      return fault_of(records_.append({room.data(), out.at()}));
    }
    if (auto done = keep_policy(fields->policy); !done) return done.error().message;
    if (auto done = records_.append(record); !done) return fault_of(done);
    chunks_.add(*fields);
    report_.add(*json);
    ++manifest_.records_shown;
    return {};
  }

  /// Each policy that a shown record names goes into the package, once.
  Result<void> keep_policy(ByteView digest) {
    audit::Hash wanted{};
    if (digest.empty()) return {};
    std::ranges::copy(digest, wanted.begin());
    if (policies_.contains(wanted)) return {};
    auto text = audit::read_policy(options_.directory, wanted);
    if (!text) return tl::unexpected(text.error());
    policies_.emplace(wanted, std::move(*text));
    return {};
  }

  Result<MadePackage> write() {
    if (auto done = records_.flush(); !done) return tl::unexpected(done.error());
    std::vector<Member> members = std::move(members_);
    members.insert(members.end(), {{std::string(checkpoint_name), note_},
                                   {std::string(signers_name), ssh_allowed_signer(verifier_)},
                                   {std::string(report_name), report_.html(manifest_)},
                                   {std::string(script_name), std::string(verify_script())}});
    for (auto& [digest, text] : policies_) {
      members.push_back({policy_member(digest), std::move(text)});
    }
    for (const Member& member : members) {
      manifest_.files.push_back(
          {member.name, member.content.size(), audit::sha256(as_bytes(member.content))});
    }
    const auto records = digest_of(records_.path());
    if (!records) return tl::unexpected(records.error());
    manifest_.files.push_back(*records);
    std::vector<FileMember> files{{std::string(records_name), records_.path()}};
    if (auto done = chunks_.collect(files, manifest_, *room_); !done) {
      return tl::unexpected(done.error());
    }

    const std::string manifest = to_json(manifest_);
    const auto signature = ssh_sign(signer_, manifest);
    if (!signature) return tl::unexpected(signature.error());
    members.insert(members.begin(), {{std::string(manifest_name), manifest},
                                     {std::string(signature_name), *signature}});
    auto package = NamelessFile::in(room_);
    if (!package) return tl::unexpected(package.error());
    const auto written = write_archive(*package, members, files);
    if (!written) return tl::unexpected(written.error());
    return MadePackage{{manifest_.first_record, manifest_.end_record, manifest_.records_shown,
                        manifest_.log_records},
                       std::move(*package)};
  }

  static Result<FileDigest> digest_of(const std::string& path) {
    FileDigest out{std::string(records_name), 0, {}};
    audit::Sha256 hash;
    std::FILE* const file = std::fopen(path.c_str(), "rbe");
    if (file == nullptr) return fail("cannot read " + path);
    std::array<std::uint8_t, 64 * 1024> room;
    for (std::size_t got = 1; got != 0;) {
      got = std::fread(room.data(), 1, room.size(), file);
      hash.add(ByteView(room).first(got));
      out.bytes += got;
    }
    const bool ok = std::ferror(file) == 0;
    std::fclose(file);
    if (!ok) return fail("cannot read " + path);
    out.sha256 = hash.finish();
    return out;
  }

  /// What retention removed.
  struct Gap {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string until;  ///< Time of the first record behind it.
  };

  const PackageOptions& options_;
  audit::LogSigner& signer_;
  audit::Verifier verifier_;
  std::shared_ptr<Room> room_;
  NamelessFile records_;
  Report report_;
  RecordedChunks chunks_;
  std::map<audit::Hash, std::string> policies_;
  Manifest manifest_;
  std::string note_;
  std::optional<audit::CosignedCheckpoint> cosigned_;
  std::vector<Member> members_;  ///< Found on the way.
  std::vector<Gap> gaps_;
};

}  // namespace

std::string timestamp_note_member(std::uint64_t log_records) {
  return fmt::format("{}/{}", audit::timestamps_folder, audit::timestamp_note_name(log_records));
}
std::string timestamp_response_member(std::uint64_t log_records) {
  return fmt::format("{}/{}", audit::timestamps_folder,
                     audit::timestamp_response_name(log_records));
}
std::string policy_member(const audit::Hash& digest) {
  return fmt::format("{}/{}", audit::policies_folder, audit::policy_name(digest));
}

Result<MadePackage> make_package(const PackageOptions& options, audit::LogSigner& signer) {
  auto verifier = audit::Verifier::parse(signer.verifier().line());
  if (!verifier) return tl::unexpected(verifier.error());
  const auto room = std::make_shared<Room>(options.place);
  auto records = NamelessFile::in(room);
  if (!records) return tl::unexpected(records.error());
  auto made = Maker(options, signer, std::move(*verifier), room, std::move(*records)).run();
  if (!made || options.recipients.empty()) return made;
  // A zip file cannot be written in one pass: so it is there in clear for a moment, too.
  auto encrypted = NamelessFile::in(room);
  if (!encrypted) return tl::unexpected(encrypted.error());
  if (auto done = encrypt_file(made->file, *encrypted, options.recipients); !done) {
    return tl::unexpected(done.error());
  }
  return MadePackage{made->summary, std::move(*encrypted)};
}

}  // namespace sluice::evidence
