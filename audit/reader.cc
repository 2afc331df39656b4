#include "audit/reader.h"

#include <fmt/format.h>

#include <utility>

#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "audit/verify.h"

namespace sluice::audit {
namespace {

using StepKind = SegmentReader::Step::Kind;

}  // namespace

Result<std::uint64_t> committed_records(const std::filesystem::path& directory) {
  const auto note = read_stable_file(directory / checkpoint_name);
  if (!note) return fail(note.error().message);
  if (!*note) return fail(fmt::format("{} holds no audit log", directory.string()));
  const auto parsed = parse_checkpoint(**note);
  if (!parsed) return fail("the checkpoint file: " + parsed.error().message);
  return parsed->checkpoint.size;
}

Result<std::uint64_t> LogReader::read(const Each& each, const Removed& removed) {
  const auto end = committed_records(directory_);
  return end ? read_until(*end, each, removed) : end;
}

Result<std::uint64_t> LogReader::read_until(std::uint64_t end, const Each& each,
                                            const Removed& removed) {
  if (next_ >= end) return next_;
  if (auto done = reader_ ? reader_->follow() : find_segment(); !done) {
    return fail(done.error().message);
  }
  while (next_ < end) {
    const auto step = reader_->next();
    if (!step) return fail(step.error().message);
    if (step->kind == StepKind::end) {
      if (auto done = open_segment(segment_ + 1); !done) return fail(done.error().message);
      continue;
    }
    if (step->kind != StepKind::frame) return damaged(step->offset);
    if (step->frame.type() == FrameType::removed) {
      const auto gone = parse_removed(step->frame.payload());
      if (!gone || gone->end <= at_) return damaged(step->offset);
      const std::uint64_t begin = std::exchange(at_, gone->end);
      if (at_ <= next_) continue;
      next_ = at_;
      if (removed && !removed(begin, *gone)) break;
      continue;
    }
    if (step->frame.type() != FrameType::record) continue;
    const std::uint64_t index = at_++;
    if (index < next_) continue;
    ++next_;
    if (!each(index, step->frame.payload())) break;
  }
  return next_;
}

tl::unexpected<Error> LogReader::damaged(std::uint64_t offset) const {
  return fail(fmt::format("{} is damaged at byte {}; see sluice verify",
                          segment_path(directory_, segment_).filename().string(), offset));
}

Result<void> LogReader::find_segment() {
  const auto segments = count_segments(directory_);
  if (!segments) return fail(segments.error().message);
  for (std::uint64_t number = *segments; number > 0; --number) {
    auto done = open_segment(number);
    // The last may be just being made, or torn; the checkpoint then lies before it.
    if (!done && number == *segments) continue;
    if (!done) return done;
    if (at_ <= next_) return {};
  }
  return fail(fmt::format("{} has no segments", directory_.string()));
}

Result<void> LogReader::open_segment(std::uint64_t number) {
  const std::filesystem::path path = segment_path(directory_, number);
  auto reader = SegmentReader::open(path);
  if (!reader) return fail(reader.error().message);
  const auto step = reader->next();
  if (!step) return fail(step.error().message);
  const auto header = step->kind == StepKind::frame && step->frame.type() == FrameType::header
                          ? parse_header(step->frame.payload())
                          : std::nullopt;
  if (!header) return fail(path.filename().string() + " does not begin with a header");
  reader_.emplace(std::move(*reader));
  segment_ = number;
  at_ = header->first_record;
  return {};
}

Result<std::uint64_t> read_records(const std::filesystem::path& directory, std::uint64_t from_index,
                                   const LogReader::Each& each, const LogReader::Removed& removed) {
  return LogReader(directory, from_index).read(each, removed);
}

}  // namespace sluice::audit
