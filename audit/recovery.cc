#include "audit/recovery.h"

#include <fmt/format.h>

#include "audit/record_filter.h"
#include "audit/record_view.h"
#include "audit/segment_reader.h"

namespace sluice::audit {
namespace {

using StepKind = SegmentReader::Step::Kind;

std::string at(const std::filesystem::path& path, std::uint64_t offset) {
  return fmt::format("{} at byte {}", path.filename().string(), offset);
}

tl::unexpected<Error> damage(const std::string& where, const std::string& what) {
  return fail(fmt::format(
      "the audit log is damaged: {}: {}. Sluice does not add to a damaged log; `sluice verify` "
      "looks "
      "at all of it, and `sluice begin-epoch` keeps it aside and begins another one behind it",
      where, what));
}

/// The file's header, or nothing when its first frame is not one.
Result<std::optional<SegmentHeader>> find_header(const std::filesystem::path& path) {
  auto reader = SegmentReader::open(path);
  if (!reader) return fail(reader.error().message);
  const auto step = reader->next();
  if (!step) return fail(step.error().message);
  if (step->kind != StepKind::frame || step->frame.type() != FrameType::header) {
    return std::optional<SegmentHeader>();
  }
  return parse_header(step->frame.payload());
}

class Scan {
 public:
  Scan(const std::filesystem::path& directory, const Verifier& verifier,
       const Checkpoint& checkpoint, std::uint64_t segments)
      : directory_(directory),
        verifier_(verifier),
        checkpoint_(checkpoint),
        segments_(segments),
        chain_(verifier.origin()),
        committed_(verifier.origin()) {}

  /// Reads from the segment that holds the checkpoint to the end.
  Result<void> run() {
    auto first = find_start();
    if (!first) return fail(first.error().message);
    for (std::uint64_t number = *first; number <= segments_; ++number) {
      if (auto done = read_segment(number, number == *first); !done) return done;
    }
    if (last_commit_) {
      if (auto genuine = last_commit_->check(verifier_); !genuine) {
        return damage("the last commit", genuine.error().message);
      }
    }
    if (committed_.tree().size() < checkpoint_.size) {
      return damage("the log's end",
                    fmt::format("the checkpoint signs {} records, the segments hold {}: they were "
                                "cut or replaced by older ones",
                                checkpoint_.size, committed_.tree().size()));
    }
    if (!is_checkpoint_seen_) {
      return damage("the checkpoint file",
                    fmt::format("no commit has its {} records and its root", checkpoint_.size));
    }
    return {};
  }

  [[nodiscard]] const Chain& committed() const { return committed_; }
  [[nodiscard]] const LastEpoch& last() const { return committed_last_; }
  /// In the last segment: end of the last commit; 0 when it has none.
  [[nodiscard]] std::uint64_t committed_bytes() const { return committed_bytes_; }

 private:
  /// The last segment that begins before the checkpoint: from there on every
  /// record was either signed for in the checkpoint file or came later.
  Result<std::uint64_t> find_start() {
    for (std::uint64_t number = segments_; number > 1; --number) {
      const auto header = find_header(segment_path(directory_, number));
      if (!header) return fail(header.error().message);
      if (*header && (*header)->first_record < checkpoint_.size) return number;
    }
    is_checkpoint_seen_ = checkpoint_.size == 0 && checkpoint_.root == Tree{}.root();
    return 1;
  }

  Result<void> read_segment(std::uint64_t number, bool is_first) {
    const std::filesystem::path path = segment_path(directory_, number);
    auto reader = SegmentReader::open(path);
    if (!reader) return fail(reader.error().message);
    chain_ = committed_;
    last_ = committed_last_;
    committed_bytes_ = 0;
    bool has_header = false;
    for (;;) {
      const auto step = reader->next();
      if (!step) return fail(step.error().message);
      if (step->kind == StepKind::end) return check_end(number, path);
      if (step->kind != StepKind::frame) return check_tail(number, path, *reader, step->offset);
      auto done =
          has_header ? add(step->frame, step->offset) : add_header(step->frame, number, is_first);
      if (!done) return damage(at(path, step->offset), done.error().message);
      has_header = true;
    }
  }

  Result<void> add_header(const FrameStep& frame, std::uint64_t number, bool is_first) {
    const auto header =
        frame.type() == FrameType::header ? parse_header(frame.payload()) : std::nullopt;
    if (!header) return fail("the segment does not begin with a header");
    if (!is_first || number == 1) return chain_.check_header(*header, number);
    if (header->segment != number) return chain_.check_header(*header, number);
    if (auto done = chain_.resume(*header); !done) return done;
    committed_ = chain_;
    return {};
  }

  Result<void> add(const FrameStep& frame, std::uint64_t offset) {
    switch (frame.type()) {
      case FrameType::record:
        note_epoch(frame.payload());
        return chain_.add_record(frame.body);
      case FrameType::commit: {
        auto commit = chain_.add_commit(frame.payload());
        if (!commit) return fail(commit.error().message);
        if (commit->checkpoint.size == checkpoint_.size) {
          if (commit->checkpoint.root != checkpoint_.root) {
            return fail("the checkpoint file signs another root for these records");
          }
          is_checkpoint_seen_ = true;
        }
        last_commit_ = std::move(*commit);
        committed_ = chain_;
        committed_last_ = last_;
        committed_bytes_ = offset + frame.bytes;
        return {};
      }
      case FrameType::removed:
        return chain_.add_removed(frame.payload());
      case FrameType::header:
        break;
    }
    return fail("a frame of unknown or misplaced type");
  }

  void note_epoch(ByteView record) {
    const auto origin = origin_of(record);
    if (!origin) return;  // For the chain to refuse.
    const auto fields = fields_of(record);
    const bool is_end =
        fields && is_phase(*fields, Phase::control) && fields->event == closed_event;
    const bool was_closed = last_.is_closed && last_.epoch == origin->epoch;
    last_ = {origin->epoch, origin->time_ns, is_end || was_closed};
  }

  Result<void> check_end(std::uint64_t number, const std::filesystem::path& path) const {
    if (number == segments_ || (chain_.uncommitted() == 0 && committed_bytes_ > 0)) return {};
    return damage(path.filename().string(), "a sealed segment ends without a commit");
  }

  /// The last batch was written in one unsynced go, so power loss may leave any
  /// part of it, even its commit without its middle. Damage with more than that
  /// behind it is no torn write.
  Result<void> check_tail(std::uint64_t number, const std::filesystem::path& path,
                          SegmentReader& reader, std::uint64_t offset) const {
    if (number != segments_ || reader.is_sealed()) {
      return damage(at(path, offset), "a sealed segment holds a bad frame");
    }
    const auto commits = reader.count_commits_behind(offset);
    if (!commits) return fail(commits.error().message);
    if (*commits > 1) {
      return damage(at(path, offset),
                    fmt::format("a bad frame with {} commits behind it", *commits));
    }
    return {};
  }

  const std::filesystem::path& directory_;
  const Verifier& verifier_;
  const Checkpoint& checkpoint_;
  std::uint64_t segments_;
  Chain chain_;
  Chain committed_;
  LastEpoch last_;
  LastEpoch committed_last_;
  std::optional<SignedCheckpoint> last_commit_;
  std::uint64_t committed_bytes_ = 0;
  bool is_checkpoint_seen_ = false;
};

/// A segment without any commit was never part of the log and is removed whole.
Result<std::string> cut_tail(Disk& disk, const std::filesystem::path& directory,
                             std::uint64_t& segments, std::uint64_t committed_bytes) {
  const std::filesystem::path path = segment_path(directory, segments);
  const auto size = bytes_of_segment(path);
  if (!size) return tl::unexpected(size.error());
  if (*size == committed_bytes && committed_bytes > 0) return std::string();
  if (committed_bytes == 0) {
    if (auto done = disk.remove(path); !done) return fail(done.error().message);
    if (auto done = disk.sync_directory(directory); !done) return fail(done.error().message);
    --segments;
  } else if (auto done = disk.truncate(path, committed_bytes); !done) {
    return fail(done.error().message);
  }
  return fmt::format("{} bytes behind {}", *size - committed_bytes, at(path, committed_bytes));
}

Result<void> cut_distrusted(Disk& disk, const std::filesystem::path& directory,
                            const FailureMark& failure, std::uint64_t segments) {
  if (failure.segment == 0 || failure.segment != segments) return {};
  const std::filesystem::path path = segment_path(directory, failure.segment);
  const auto size = bytes_of_segment(path);
  if (!size) return tl::unexpected(size.error());
  if (*size <= failure.trusted_bytes) return {};
  return disk.truncate(path, failure.trusted_bytes);
}

/// A killed gateway may have written the last batch and not synced it. What goes on
/// behind it would not outlive a power cut without it.
Result<void> sync_last(Disk& disk, const std::filesystem::path& directory, std::uint64_t segments) {
  const std::filesystem::path path = segment_path(directory, segments);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};  // Compressed, so synced before.
  auto file = disk.open(path);
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->sync(); !done) return done;
  return disk.sync_directory(directory);
}

/// The signed state of the log as last published; an empty log gets its first.
Result<Checkpoint> load_checkpoint(const std::filesystem::path& directory,
                                   const Verifier& verifier) {
  const auto note = read_small_file(directory / checkpoint_name);
  if (!note) return fail(note.error().message);
  if (!*note) return damage("the checkpoint file", "it is missing");
  auto parsed = parse_checkpoint(**note);
  if (!parsed) return damage("the checkpoint file", parsed.error().message);
  if (auto genuine = parsed->check(verifier); !genuine) {
    return damage("the checkpoint file", genuine.error().message);
  }
  return parsed->checkpoint;
}

}  // namespace

Result<SegmentRecovery> recover_segments(Disk& disk, const std::filesystem::path& directory,
                                         const Verifier& verifier, const FailureMark& failure) {
  auto segments = count_segments(directory);
  if (!segments) return damage(directory.string(), segments.error().message);
  if (auto done = cut_distrusted(disk, directory, failure, *segments); !done) {
    return fail(done.error().message);
  }
  const auto checkpoint = load_checkpoint(directory, verifier);
  if (!checkpoint) return fail(checkpoint.error().message);

  Scan scan(directory, verifier, *checkpoint, *segments);
  if (auto done = scan.run(); !done) return fail(done.error().message);
  std::string cut;
  if (*segments > 0) {
    auto words = cut_tail(disk, directory, *segments, scan.committed_bytes());
    if (!words) return fail(words.error().message);
    cut = std::move(*words);
    if (auto done = sync_last(disk, directory, *segments); !done)
      return tl::unexpected(done.error());
  }
  const Chain& chain = scan.committed();
  return SegmentRecovery{
      {*segments, chain.commits(), chain.tree()}, chain, scan.last(), std::move(cut)};
}

}  // namespace sluice::audit
