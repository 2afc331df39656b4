#include "audit/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "audit/chain.h"
#include "audit/cosignature.h"
#include "audit/policy_store.h"
#include "audit/record_fields.h"
#include "audit/record_filter.h"
#include "audit/seal.h"
#include "audit/segment_reader.h"
#include "audit/stand_in.h"
#include "audit/timestamps.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

using StepKind = SegmentReader::Step::Kind;

/// Where the walk is, for the report.
struct Place {
  std::string file;
  std::uint64_t offset = 0;
};

/// A state that the log was in, as somebody says who is not the log.
struct Seen {
  std::string_view whose;
  std::string where;
  Checkpoint checkpoint;
  bool is_met = false;
};

class Walk {
 public:
  Walk(const std::filesystem::path& directory, const Verifier& verifier, VerifyReport& report)
      : directory_(directory),
        verifier_(verifier),
        report_(report),
        chain_(verifier.origin()),
        seals_(verifier, SealChain::Begins::at_the_first) {}

  /// The log must be what this witness saw.
  void expect(WitnessVerifier witness) { witness_.emplace(std::move(witness)); }
  /// It must continue this checkpoint.
  void expect(const std::string& note) { note_ = &note; }

  /// errors   the files cannot be read. Faults of the log go to the report.
  Result<void> run() {
    // Checkpoints are read before the segments: those of a running gateway only ever
    // get ahead of them.
    for (auto check : {&Walk::check_checkpoint_file, &Walk::check_witness, &Walk::check_timestamps,
                       &Walk::check_note}) {
      if (auto done = (this->*check)(); !done || has_fault()) return done;
    }
    const auto segments = count_segments(directory_);
    if (!segments) return fault({"", 0}, segments.error().message);
    for (std::uint64_t number = 1; number <= *segments; ++number) {
      std::error_code ignored;
      const auto path = stand_in_path(segment_path(directory_, number));
      if (std::filesystem::exists(path, ignored)) stand_ins_.insert(number);
    }
    match_checkpoint(Tree{}.root());
    if (auto done = meet(Tree{}.root()); !done) return fault({"", 0}, done.error().message);
    for (std::uint64_t number = 1; number <= *segments; ++number) {
      if (auto done = read_segment(number, number == *segments); !done || has_fault()) return done;
      ++report_.segments;
    }
    return check_end();
  }

 private:
  [[nodiscard]] bool has_fault() const { return !report_.fault.empty(); }

  Result<void> fault(const Place& place, std::string what) {
    report_.fault = std::move(what);
    report_.where = place.file.empty() ? directory_.string()
                                       : fmt::format("{}, byte {}, record {}", place.file,
                                                     place.offset, chain_.tree().size());
    return {};
  }

  Result<void> check_checkpoint_file() {
    const Place place{std::string(checkpoint_name), 0};
    const auto note = read_stable_file(directory_ / checkpoint_name);
    if (!note) return fail(note.error().message);
    if (!*note) return fault(place, "the checkpoint file is missing");
    auto parsed = parse_checkpoint(**note);
    if (!parsed) return fault(place, parsed.error().message);
    if (auto genuine = parsed->check(verifier_); !genuine) {
      return fault(place, genuine.error().message);
    }
    checkpoint_ = std::move(parsed->checkpoint);
    return {};
  }

  /// A cosigned checkpoint lies beside the log, by the witness that is asked for.
  Result<void> check_witness() {
    if (!witness_) return {};
    const Place place{std::string(cosigned_name), 0};
    const auto text = read_small_file(directory_ / cosigned_name);
    if (!text) return fail(text.error().message);
    if (!*text) return fault(place, "no witness has seen the log");
    const auto cosigned = parse_cosigned(**text);
    if (!cosigned) return fault(place, cosigned.error().message);
    if (auto genuine = cosigned->log.check(verifier_); !genuine) {
      return fault(place, genuine.error().message);
    }
    const auto seconds = cosigned->check(*witness_);
    if (!seconds) return fault(place, "the witness did not sign this checkpoint");
    report_.witnessed_records = cosigned->log.checkpoint.size;
    report_.witnessed_seconds = *seconds;
    seen_.push_back({"a witness", place.file, cosigned->log.checkpoint});
    return {};
  }

  /// What time-stamp authorities saw lies beside the log, with their answers.
  Result<void> check_timestamps() {
    const auto kept = kept_timestamps(directory_);
    if (!kept) return tl::unexpected(kept.error());
    for (const std::uint64_t size : *kept) {
      const Place place{fmt::format("{}/{}", timestamps_folder, timestamp_note_name(size)), 0};
      const auto timestamp = load_timestamp(directory_, size);
      if (!timestamp) return fault(place, timestamp.error().message);
      auto parsed = parse_checkpoint(timestamp->note);
      if (!parsed) return fault(place, parsed.error().message);
      if (auto genuine = parsed->check(verifier_); !genuine) {
        return fault(place, genuine.error().message);
      }
      const auto time = read_timestamp(timestamp->response, timestamp->note);
      if (!time) return fault(place, time.error().message);
      ++report_.timestamps;
      timestamps_.insert(size);
      seen_.push_back({"a time-stamp authority", place.file, std::move(parsed->checkpoint)});
    }
    return {};
  }

  Result<void> check_note() {
    if (note_ == nullptr) return {};
    const Place place{"the checkpoint that was seen", 0};
    const auto parsed = parse_checkpoint(*note_);
    if (!parsed) return fail(parsed.error().message);
    if (auto genuine = parsed->check(verifier_); !genuine) {
      return fault(place, genuine.error().message);
    }
    report_.seen_records = parsed->checkpoint.size;
    seen_.push_back({"you", place.file, parsed->checkpoint});
    return {};
  }

  /// Notes which of the states that were seen this is, and that it is no other.
  Result<void> meet(const Hash& root) {
    for (Seen& seen : seen_) {
      if (seen.checkpoint.size != chain_.tree().size()) continue;
      if (seen.checkpoint.root != root) {
        return fail(fmt::format("{} saw another root for these records", seen.whose));
      }
      seen.is_met = true;
    }
    return {};
  }

  /// Notes whether the log passes through the state that the checkpoint file signs.
  bool match_checkpoint(const Hash& root) {
    if (chain_.tree().size() != checkpoint_.size) return true;
    is_checkpoint_seen_ = root == checkpoint_.root;
    return is_checkpoint_seen_;
  }

  Result<void> read_segment(std::uint64_t number, bool is_last) {
    const std::filesystem::path path = segment_path(directory_, number);
    Place place{path.filename().string(), 0};
    auto reader = SegmentReader::open(path);
    if (!reader) return fail(reader.error().message);
    const std::uint64_t first_record = chain_.tree().size();
    if (reader->form() == SegmentFile::Form::stand_in) {
      place.file = stand_in_path(path).filename().string();
    }
    committed_end_ = 0;
    for (bool has_header = false;; has_header = true) {
      const auto step = reader->next();
      if (!step) return fail(step.error().message);
      place.offset = step->offset;
      if (step->kind != StepKind::frame) {
        auto done = end_segment(*step, place, is_last, has_header, *reader);
        if (!done || has_fault() || reader->form() != SegmentFile::Form::stand_in) return done;
        return note_removal(number, first_record, place);
      }
      const auto done =
          has_header ? add(step->frame, step->offset) : add_header(step->frame, number);
      if (!done) return fault(place, done.error().message);
    }
  }

  Result<void> add_header(const FrameStep& frame, std::uint64_t number) const {
    const auto header =
        frame.type() == FrameType::header ? parse_header(frame.payload()) : std::nullopt;
    if (!header) return fail("the segment does not begin with a header");
    return chain_.check_header(*header, number);
  }

  Result<void> add(const FrameStep& frame, std::uint64_t offset) {
    if (frame.type() == FrameType::record) {
      if (auto added = chain_.add_record(frame.body); !added) return added;
      return check_fields(frame.payload());
    }
    if (frame.type() == FrameType::removed) return chain_.add_removed(frame.payload());
    if (frame.type() != FrameType::commit) return fail("a frame of unknown or misplaced type");
    const auto commit = chain_.add_commit(frame.payload());
    if (!commit) return fail(commit.error().message);
    if (auto genuine = commit->check(verifier_); !genuine) return genuine;
    if (!match_checkpoint(commit->checkpoint.root)) {
      return fail("the checkpoint file signs another root for these records");
    }
    if (auto done = meet(commit->checkpoint.root); !done) return done;
    heads_.add({commit->checkpoint.size, commit->checkpoint.root});
    report_.records = commit->checkpoint.size;
    report_.checkpoints = chain_.commits();
    report_.root_hex = to_hex(commit->checkpoint.root);
    committed_end_ = offset + frame.bytes;
    return {};
  }

  Result<void> check_fields(ByteView record) {
    const auto fields = fields_of(record);
    if (!fields) return fail("a frame that holds no record");
    if (is_phase(*fields, Phase::control)) {
      if (auto done = check_event(*fields); !done) return done;
    }
    if (is_phase(*fields, Phase::gap)) ++report_.gaps;
    if (auto done = check_seal(*fields); !done) return done;
    return fields->policy.empty() ? Result<void>() : check_policy(fields->policy);
  }

  Result<void> check_event(const RecordFields& record) {
    if (record.event == removed_event) {
      named_.try_emplace(std::string(record.detail.substr(0, record.detail.find(';'))),
                         chain_.tree().size() - 1);
    }
    if (record.event != timestamped_event) return {};
    std::uint64_t size = 0;
    std::from_chars(record.detail.data(), record.detail.data() + record.detail.size(), size);
    // A running gateway may have made it since they were read.
    const auto response = directory_ / timestamps_folder / timestamp_response_name(size);
    std::error_code ignored;
    if (timestamps_.contains(size) || std::filesystem::exists(response, ignored)) return {};
    return fail(fmt::format("the timestamp of {} records that this record names is missing", size));
  }

  /// The policy that a record names lies beside the log, unchanged.
  Result<void> check_policy(ByteView name) {
    if (std::ranges::equal(name, last_policy_)) return {};
    Hash digest{};
    std::ranges::copy(name, digest.begin());
    last_policy_ = digest;
    if (policies_.contains(digest)) return {};
    if (const auto text = read_policy(directory_, digest); !text) {
      return fail(text.error().message);
    }
    policies_.insert(digest);
    return {};
  }

  /// Seals follow one another, and the log was what each of them says.
  Result<void> check_seal(const RecordFields& record) {
    if (const std::string_view note = seal_in(record); !note.empty()) {
      const auto seal = seals_.add(note);
      if (!seal) return fail(seal.error().message);
      if (*seal && !heads_.has((*seal)->head)) {
        return fail(fmt::format("seal {} is of another log: of {} records it was not this one",
                                (*seal)->number, (*seal)->head.size));
      }
      report_.seals = seals_.count();
      report_.seal_chains = seals_.chains();
    }
    return seals_.see(record.time_ns);
  }

  /// Behind the last commit of the last segment anything may be: a running
  /// gateway's next batch, or what one left that was killed. Everywhere else a
  /// segment ends with a commit.
  Result<void> end_segment(const SegmentReader::Step& step, const Place& place, bool is_last,
                           bool has_header, SegmentReader& reader) {
    const bool is_whole = step.kind == StepKind::end && has_header;
    if (is_whole && chain_.uncommitted() == 0 && committed_end_ > 0) return {};
    if (!is_last || reader.is_sealed()) {
      return fault(place, is_whole ? "a sealed segment ends without a commit"
                                   : "bytes that are no frame, or a torn frame");
    }
    if (chain_.committed_size() < checkpoint_.size) {
      return fault(place, missing_records(step.kind));
    }
    if (step.kind != StepKind::end) {
      const auto commits = reader.count_commits_behind(step.offset);
      if (!commits) return fail(commits.error().message);
      if (*commits > 0) {
        return fault(place, fmt::format("a damaged frame with {} commits behind it", *commits));
      }
    }
    report_.unsigned_tail_records = chain_.uncommitted();
    report_.unsigned_tail_bytes = reader.size() - committed_end_;
    return {};
  }

  /// What stays of a segment adds up; that it was removed, a record behind it must say.
  Result<void> note_removal(std::uint64_t number, std::uint64_t first_record, const Place& place) {
    const auto digest = digest_of_stand_in(directory_, number);
    if (!digest) return tl::unexpected(digest.error());
    removals_.push_back(
        {{number, first_record, chain_.tree().size(), chain_.tree().root(), *digest}, place.file});
    return {};
  }

  /// A record that no checkpoint signs yet, names nothing: anybody can write one.
  Result<void> check_removals() {
    for (const auto& [stand_in, file] : removals_) {
      const auto name = named_.find(name_of(stand_in));
      if (name == named_.end() || name->second >= chain_.committed_size()) {
        // Then the record may be in what a running gateway has written meanwhile.
        if (!stand_ins_.contains(stand_in.segment)) {
          return fail(fmt::format("segment {} was removed while the log was read: try again",
                                  stand_in.segment));
        }
        return fault({file, 0}, fmt::format("records {} to {} were removed, and no record says so",
                                            stand_in.first_record, stand_in.end_record - 1));
      }
      report_.removals.push_back(
          {stand_in.segment, stand_in.first_record, stand_in.end_record, name->second});
    }
    return {};
  }

  [[nodiscard]] std::string missing_records(StepKind kind) const {
    return fmt::format("{}: the checkpoint file signs {} records, the last intact commit {}",
                       kind == StepKind::end
                           ? "the log is cut, or a segment is older than the checkpoint"
                           : "a damaged or torn frame before the checkpoint",
                       checkpoint_.size, chain_.committed_size());
  }

  Result<void> check_end() {
    const Place place{std::string(checkpoint_name), 0};
    if (chain_.committed_size() < checkpoint_.size)
      return fault(place, missing_records(StepKind::end));
    if (!is_checkpoint_seen_) {
      return fault(place,
                   fmt::format("no commit in the segments has its {} records", checkpoint_.size));
    }
    for (const Seen& seen : seen_) {
      if (seen.is_met) continue;
      return fault({seen.where, 0},
                   fmt::format("no commit in the segments has the {} records that {} saw",
                               seen.checkpoint.size, seen.whose));
    }
    if (auto done = check_removals(); !done || has_fault()) return done;
    report_.ok = true;
    return {};
  }

  const std::filesystem::path& directory_;
  const Verifier& verifier_;
  VerifyReport& report_;
  Chain chain_;
  SealChain seals_;
  RecentHeads heads_;
  Checkpoint checkpoint_;
  std::set<Hash> policies_;  ///< Known to be there.
  Hash last_policy_{};       ///< Looked for already.
  bool is_checkpoint_seen_ = false;
  std::optional<WitnessVerifier> witness_;
  const std::string* note_ = nullptr;
  std::vector<Seen> seen_;
  std::set<std::uint64_t> timestamps_;  ///< That are there, by the records they are about.
  std::uint64_t committed_end_ = 0;     ///< In the current segment.
  std::set<std::uint64_t> stand_ins_;   ///< Segments that were removed before this began.
  std::vector<std::pair<StandIn, std::string>> removals_;  ///< And the file.
  std::map<std::string, std::uint64_t> named_;  ///< Removals in records, and their indexes.
};

}  // namespace

Result<VerifyReport> verify(const std::filesystem::path& directory, const std::string& verifier_key,
                            const std::string& witness_key, const std::string& seen) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return fail(directory.string() + " is not a directory");
  }
  VerifyReport report;
  const auto stored = read_small_file(directory / verifier_name);
  if (!stored) return fail(stored.error().message);
  report.key_is_from_log = verifier_key.empty();
  const auto key_fault = [&report](std::string what) {
    report.fault = std::move(what);
    report.where = std::string(verifier_name);
    return report;
  };
  if (!*stored) return key_fault("the log's verifier key file is missing");
  auto stored_key = Verifier::parse(**stored);
  if (!stored_key) return key_fault(stored_key.error().message);
  if (stored_key->line() + '\n' != **stored)
    return key_fault("the file holds more than one key line");
  if (!verifier_key.empty()) {
    const auto wanted = Verifier::parse(verifier_key);
    if (!wanted) return fail(wanted.error().message);
    if (wanted->line() != stored_key->line()) {
      return key_fault(fmt::format("the log was made with another key: {}, expected {}",
                                   stored_key->line(), wanted->line()));
    }
  }
  report.key = stored_key->line();
  Walk walk(directory, *stored_key, report);
  if (!witness_key.empty()) {
    auto witness = WitnessVerifier::parse(witness_key);
    if (!witness) return tl::unexpected(witness.error());
    walk.expect(std::move(*witness));
  }
  if (!seen.empty()) walk.expect(seen);
  if (auto done = walk.run(); !done) return fail(done.error().message);
  return report;
}

}  // namespace sluice::audit
