#include "audit/segment_reader.h"

#include <algorithm>
#include <cstring>

namespace sluice::audit {
namespace {
constexpr std::size_t buffer_bytes = std::size_t{256} << 10;
constexpr std::size_t frame_bytes_max = frame_head_bytes + frame_body_bytes_max;
static_assert(buffer_bytes > 2 * frame_bytes_max);
}  // namespace

SegmentReader::SegmentReader(std::unique_ptr<SegmentFile> file)
    : file_(std::move(file)), buffer_(buffer_bytes) {}

Result<SegmentReader> SegmentReader::open(const std::filesystem::path& path) {
  auto file = SegmentFile::open(path);
  if (!file) return tl::unexpected(file.error());
  SegmentReader reader(std::move(*file));
  if (auto done = reader.follow(); !done) return tl::unexpected(done.error());
  return reader;
}

Result<void> SegmentReader::follow() {
  const auto size = file_->size();
  if (!size) return tl::unexpected(size.error());
  size_ = *size;
  return {};
}

Result<void> SegmentReader::fill(std::size_t bytes) {
  if (end_ - begin_ >= bytes) return {};
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  while (end_ < bytes && offset_ + end_ < size_) {
    const std::uint64_t at = offset_ + end_;
    const auto wanted = std::min<std::uint64_t>(buffer_.size() - end_, size_ - at);
    const auto got = file_->read(at, ByteSpan(buffer_).subspan(end_, wanted));
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) break;
    end_ += *got;
  }
  return {};
}

Result<SegmentReader::Step> SegmentReader::next() {
  using Kind = Step::Kind;
  if (offset_ == 0) {
    if (auto filled = fill(segment_magic.size()); !filled) return fail(filled.error().message);
    const std::string_view start = as_text(available()).substr(0, segment_magic.size());
    if (!segment_magic.starts_with(start)) return Step{Kind::damaged, {}, 0};
    if (start.size() < segment_magic.size()) return Step{Kind::torn, {}, 0};
    consume(segment_magic.size());
  }
  FrameStep frame = read_frame(available());
  if (frame.kind == FrameStep::Kind::incomplete) {
    if (auto filled = fill(frame_bytes_max); !filled) return fail(filled.error().message);
    if (available().empty()) return Step{offset_ < size_ ? Kind::damaged : Kind::end, {}, offset_};
    frame = read_frame(available());
  }
  const std::uint64_t at = offset_;
  switch (frame.kind) {
    case FrameStep::Kind::incomplete:
      return Step{Kind::torn, {}, at};
    case FrameStep::Kind::damaged:
      return Step{Kind::damaged, {}, at};
    case FrameStep::Kind::frame:
      break;
  }
  if (frame.type() == FrameType::removed && form() != SegmentFile::Form::stand_in) {
    return Step{Kind::damaged, {}, at};
  }
  consume(frame.bytes);
  return Step{Kind::frame, frame, at};
}

void SegmentReader::seek(std::uint64_t offset) {
  if (offset >= offset_ && offset - offset_ <= end_ - begin_) {
    return consume(static_cast<std::size_t>(offset - offset_));
  }
  offset_ = offset;
  begin_ = end_ = 0;
}

Result<std::uint64_t> SegmentReader::count_commits_behind(std::uint64_t offset) {
  std::uint64_t commits = 0;
  for (seek(offset + 1);; consume(1)) {
    if (auto filled = fill(frame_bytes_max); !filled) return fail(filled.error().message);
    if (available().size() <= frame_head_bytes) return commits;
    if (available()[frame_head_bytes] != static_cast<std::uint8_t>(FrameType::commit)) continue;
    if (read_frame(available()).kind == FrameStep::Kind::frame) ++commits;
  }
}

Result<SegmentHeader> read_header(const std::filesystem::path& segment) {
  auto reader = SegmentReader::open(segment);
  if (!reader) return tl::unexpected(reader.error());
  const auto step = reader->next();
  if (!step) return tl::unexpected(step.error());
  const bool is_header =
      step->kind == SegmentReader::Step::Kind::frame && step->frame.type() == FrameType::header;
  auto header = is_header ? parse_header(step->frame.payload()) : std::nullopt;
  if (!header) return fail(segment.filename().string() + " does not begin with a header");
  return std::move(*header);
}

}  // namespace sluice::audit
