#include "audit/stand_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "audit/chain.h"
#include "audit/compact_range.h"
#include "audit/index_writer.h"
#include "audit/record_filter.h"
#include "audit/seal.h"
#include "audit/segment_reader.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

using StepKind = SegmentReader::Step::Kind;

/// More that is not synced would delay the log's own syncs.
constexpr std::size_t unsynced_bytes_max = std::size_t{4} << 20;

std::filesystem::path draft_path(const std::filesystem::path& segment) {
  return stand_in_path(segment).string() + ".new";
}

/// A file that is written once, and its digest.
class Draft {
 public:
  explicit Draft(std::unique_ptr<File> file) : file_(std::move(file)) {
    add(as_bytes(segment_magic));
  }

  void add(ByteView bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  void add_frame(FrameType type, ByteView payload) {
    const std::size_t at = buffer_.size();
    buffer_.resize(at + frame_head_bytes);
    buffer_.push_back(static_cast<std::uint8_t>(type));
    add(payload);
    seal_frame(buffer_.data() + at, 1 + payload.size());
  }
  Result<void> flush_when_full() {
    return buffer_.size() < unsynced_bytes_max ? Result<void>() : flush();
  }
  Result<Hash> finish() {
    if (auto done = flush(); !done) return tl::unexpected(done.error());
    return hash_.finish();
  }

 private:
  Result<void> flush() {
    hash_.add(buffer_);
    if (auto done = file_->append(buffer_); !done) return done;
    buffer_.clear();
    return file_->sync();
  }

  std::unique_ptr<File> file_;
  std::vector<std::uint8_t> buffer_;
  Sha256 hash_;
};

/// Reads the segment as verification does, and writes what stays of it.
class Stripper {
 public:
  Stripper(const SegmentHeader& header, Draft& out)
      : chain_(header.origin), range_(header.first_record), out_(out) {
    draft_.stand_in.segment = header.segment;
    draft_.stand_in.first_record = header.first_record;
    draft_.first_ns = std::numeric_limits<std::uint64_t>::max();
  }

  Result<void> begin(const SegmentHeader& header, ByteView payload) {
    out_.add_frame(FrameType::header, payload);
    return chain_.resume(header);
  }

  Result<void> add(const FrameStep& frame) {
    if (frame.type() == FrameType::record) return add_record(frame);
    if (frame.type() != FrameType::commit) return fail("a frame of unknown or misplaced type");
    if (const auto commit = chain_.add_commit(frame.payload()); !commit) {
      return tl::unexpected(commit.error());
    }
    end_range();
    out_.add_frame(FrameType::commit, frame.payload());
    return out_.flush_when_full();
  }

  /// next   of the segment behind it, which must continue it.
  Result<StandInDraft> finish(const SegmentHeader& next) {
    if (auto done = chain_.check_header(next, draft_.stand_in.segment + 1); !done) {
      return tl::unexpected(done.error());
    }
    auto digest = out_.finish();
    if (!digest) return tl::unexpected(digest.error());
    draft_.stand_in.end_record = chain_.tree().size();
    draft_.stand_in.root = chain_.tree().root();
    draft_.stand_in.digest = *digest;
    return draft_;
  }

 private:
  Result<void> add_record(const FrameStep& frame) {
    const auto record = fields_of(frame.payload());
    if (!record) return fail("a frame that holds no record");
    const bool stays = outlives_segment(*record);
    if (stays) end_range();
    if (auto done = chain_.add_record(frame.body); !done) return done;
    draft_.first_ns = std::min(draft_.first_ns, record->time_ns);
    draft_.last_ns = std::max(draft_.last_ns, record->time_ns);
    if (stays) {
      out_.add_frame(FrameType::record, frame.payload());
      range_ = CompactRange(chain_.tree().size());
      return {};
    }
    range_.append_leaf(leaf_hash(frame.payload()));
    workers_.insert({record->epoch, record->worker});
    return {};
  }

  void end_range() {
    if (range_.begin() == range_.end()) return;
    RemovedRecords removed{range_.end(), range_.hashes(), {}};
    for (const auto& [epoch, worker] : workers_) {
      removed.positions.push_back({epoch, worker, chain_.position(epoch, worker)});
    }
    out_.add_frame(FrameType::removed, encode_removed(removed));
    workers_.clear();
    range_ = CompactRange(range_.end());
  }

  Chain chain_;
  CompactRange range_;  ///< Of the records since the last frame that stayed.
  std::set<std::pair<std::uint64_t, std::uint64_t>> workers_;  ///< Epoch and worker, of those.
  Draft& out_;
  StandInDraft draft_;
};

Result<StandInDraft> strip(SegmentReader& reader, const SegmentHeader& next, Draft& out,
                           const std::atomic<bool>& stop) {
  auto step = reader.next();
  if (!step) return tl::unexpected(step.error());
  const auto header = step->kind == StepKind::frame && step->frame.type() == FrameType::header
                          ? parse_header(step->frame.payload())
                          : std::nullopt;
  if (!header) return fail("it does not begin with a header");
  Stripper stripper(*header, out);
  if (auto done = stripper.begin(*header, step->frame.payload()); !done) {
    return tl::unexpected(done.error());
  }
  for (;;) {
    if (stop) return fail("stopped");
    step = reader.next();
    if (!step) return tl::unexpected(step.error());
    if (step->kind == StepKind::end) return stripper.finish(next);
    if (step->kind != StepKind::frame) return fail(fmt::format("damaged at {}", step->offset));
    if (auto done = stripper.add(step->frame); !done) return tl::unexpected(done.error());
  }
}

}  // namespace

bool outlives_segment(const RecordFields& record) noexcept {
  constexpr std::array events{removed_event, recording_removed_event, hold_added_event,
                              hold_released_event, seal_event};
  return is_phase(record, Phase::discontinuity) ||
         (is_phase(record, Phase::control) &&
          std::ranges::find(events, record.event) != events.end());
}

std::string name_of(const StandIn& stand_in) {
  return fmt::format("segment {}, records {} to {}, root {}, stand-in {}", stand_in.segment,
                     stand_in.first_record, stand_in.end_record - 1, to_hex(stand_in.root),
                     to_hex(stand_in.digest));
}

Result<StandInDraft> draft_stand_in(Disk& disk, const std::filesystem::path& directory,
                                    std::uint64_t segment, const std::atomic<bool>& stop) {
  const std::filesystem::path path = segment_path(directory, segment);
  auto reader = SegmentReader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  const auto next = read_header(segment_path(directory, segment + 1));
  if (!next) return tl::unexpected(next.error());
  drop_draft(directory, segment);
  auto file = disk.create(draft_path(path));
  if (!file) return tl::unexpected(file.error());
  Draft out(std::move(*file));
  auto draft = strip(*reader, *next, out, stop);
  if (!draft) {
    drop_draft(directory, segment);
    return fail(fmt::format("{}: {}", path.filename().string(), draft.error().message));
  }
  draft->segment_bytes = reader->size();
  return draft;
}

void drop_draft(const std::filesystem::path& directory, std::uint64_t segment) {
  std::error_code ignored;
  std::filesystem::remove(draft_path(segment_path(directory, segment)), ignored);
}

Result<void> place_stand_in(Disk& disk, const std::filesystem::path& directory,
                            std::uint64_t segment) {
  const std::filesystem::path path = segment_path(directory, segment);
  if (auto done = disk.rename(draft_path(path), stand_in_path(path)); !done) return done;
  return finish_removal(disk, directory, segment);
}

Result<void> finish_removal(Disk& disk, const std::filesystem::path& directory,
                            std::uint64_t segment) {
  // The stand-in's name survives power loss before the others go.
  if (auto done = disk.sync_directory(directory); !done) return done;
  const std::filesystem::path path = segment_path(directory, segment);
  std::error_code ignored;
  for (const auto& gone : {path, compressed_path(path)}) {
    if (!std::filesystem::exists(gone, ignored)) continue;
    if (auto done = disk.remove(gone); !done) return done;
  }
  // It has fingerprints of what the records said. A cache: its loss needs no sync.
  remove_index(directory, segment);
  return disk.sync_directory(directory);
}

Result<Hash> digest_of_stand_in(const std::filesystem::path& directory, std::uint64_t segment) {
  const auto file =
      PlainFile::open(stand_in_path(segment_path(directory, segment)), SegmentFile::Form::stand_in);
  if (!file) return tl::unexpected(file.error());
  Sha256 hash;
  std::vector<std::uint8_t> block(std::size_t{256} << 10);
  for (std::uint64_t at = 0;;) {
    const auto got = (*file)->read(at, block);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return hash.finish();
    hash.add(ByteView(block).first(*got));
    at += *got;
  }
}

}  // namespace sluice::audit
