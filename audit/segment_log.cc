#include "audit/segment_log.h"

namespace sluice::audit {

SegmentLog::SegmentLog(Disk& disk, std::filesystem::path directory, LogSigner& signer,
                       std::size_t segment_bytes, LogEnd end)
    : disk_(disk),
      directory_(std::move(directory)),
      signer_(signer),
      segment_bytes_max_(segment_bytes),
      tree_(end.tree),
      growth_(end.tree),
      commits_(end.commits),
      segment_(end.segments) {
  batch_.reserve(batch_bytes_max + 2 * (frame_head_bytes + frame_body_bytes_max));
}

void SegmentLog::continue_at(const LogEnd& end) {
  file_.reset();
  checkpoint_file_.reset();
  batch_.clear();
  tree_ = end.tree;
  growth_ = TreeGrowth(tree_);
  commits_ = end.commits;
  segment_ = end.segments;
  segment_bytes_ = 0;
  is_name_durable_ = true;
}

Result<void> SegmentLog::begin_batch() {
  if (file_ && segment_bytes_ < segment_bytes_max_) return {};
  return open_segment();
}

Result<void> SegmentLog::open_segment() {
  auto file = disk_.create(segment_path(directory_, segment_ + 1));
  if (!file) return fail(file.error().message);
  file_ = std::move(*file);
  ++segment_;
  segment_bytes_ = 0;
  is_name_durable_ = false;
  const std::vector<std::uint8_t> header =
      encode_header({signer_.verifier().origin(), segment_, tree_.size(), commits_,
                     tree_.frontier(), positions_});
  batch_.insert(batch_.end(), segment_magic.begin(), segment_magic.end());
  add_frame(FrameType::header, header);
  return {};
}

void SegmentLog::add_frame(FrameType type, ByteView payload) {
  const std::size_t at = batch_.size();
  batch_.resize(at + frame_head_bytes);
  batch_.push_back(static_cast<std::uint8_t>(type));
  batch_.insert(batch_.end(), payload.begin(), payload.end());
  seal_frame(batch_.data() + at, 1 + payload.size());
}

void SegmentLog::stage(ByteView frame, std::size_t slot) {
  batch_.insert(batch_.end(), frame.begin(), frame.end());
  growth_.append(tree_, frame.subspan(frame_head_bytes));
  ++positions_[slot].sequence;
}

Result<void> SegmentLog::commit() {
  const auto note =
      sign_checkpoint(signer_, {growth_.before(), TreeHead::of(tree_), growth_.proof(tree_)});
  if (!note) return fail(note.error().message);
  const std::uint64_t number = ++commits_;
  std::vector<std::uint8_t> payload(sizeof number + note->size());
  std::memcpy(payload.data(), &number, sizeof number);
  std::memcpy(payload.data() + sizeof number, note->data(), note->size());
  add_frame(FrameType::commit, payload);

  if (auto done = file_->append(batch_); !done) return done;
  if (auto done = file_->sync(); !done) return done;
  if (!is_name_durable_) {
    if (auto done = disk_.sync_directory(directory_); !done) return done;
    is_name_durable_ = true;
  }
  segment_bytes_ += batch_.size();
  bytes_written_ += batch_.size();
  batch_.clear();
  growth_ = TreeGrowth(tree_);
  return publish_checkpoint(*note);
}

/// Only after the segment is durable, so that the file never promises more than
/// the segments hold. It is overwritten in place: equal length and far less than
/// a disk block, so it is never seen half written after a crash. Not synced: after
/// power loss an older checkpoint is there, still true.
Result<void> SegmentLog::publish_checkpoint(const std::string& note) {
  if (checkpoint_file_ && note.size() == checkpoint_bytes_) {
    return checkpoint_file_->overwrite(as_bytes(note));
  }
  // First time, or the size has one more digit: change content and length at once.
  if (auto done = replace_file(disk_, directory_ / checkpoint_name, note); !done) return done;
  auto file = disk_.open(directory_ / checkpoint_name);
  if (!file) return fail(file.error().message);
  checkpoint_file_ = std::move(*file);
  checkpoint_bytes_ = note.size();
  return {};
}

Result<void> replace_file(Disk& disk, const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path draft = path.string() + ".new";
  std::error_code ignored;
  std::filesystem::remove(draft, ignored);
  auto file = disk.create(draft);
  if (!file) return fail(file.error().message);
  if (auto done = (*file)->append(as_bytes(content)); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  if (auto done = disk.rename(draft, path); !done) return done;
  return disk.sync_directory(path.parent_path());
}

}  // namespace sluice::audit
