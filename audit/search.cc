#include "audit/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "audit/index_reader.h"
#include "audit/index_writer.h"
#include "audit/reader.h"
#include "audit/segment.h"
#include "audit/segment_reader.h"

namespace sluice::audit {
namespace {

class Search {
 public:
  Search(const std::filesystem::path& directory, RecordFilter& filter, const SearchEvents& events,
         RecordPlace from)
      : directory_(directory), filter_(filter), events_(events), from_(from) {}

  Result<SearchEnd> run() {
    const auto end = committed_records(directory_);
    if (!end) return tl::unexpected(end.error());
    const auto segments = count_segments(directory_);
    if (!segments) return tl::unexpected(segments.error());
    end_ = *end;
    const std::uint64_t first = std::max<std::uint64_t>(from_.segment, 1);
    for (std::uint64_t number = first; number <= *segments && next_ < end_; ++number) {
      if (is_over_ = is_over_ || !goes_on({number, 0}); is_over_) break;
      const bool is_sealed = number < *segments;
      auto done = is_sealed ? search_sealed(number) : search_open(number);
      if (!done) return tl::unexpected(done.error());
      if (is_sealed && !is_over_) behind_ = {number + 1, 0};
    }
    return SearchEnd{next_, behind_, !is_over_};
  }

 private:
  Result<void> search_sealed(std::uint64_t number) {
    const auto bytes = bytes_of_segment(segment_path(directory_, number));
    if (!bytes) return tl::unexpected(bytes.error());
    for (bool may_build = true;; may_build = false) {
      const auto index = IndexReader::open(index_path(directory_, number), number, *bytes);
      // Not all of it is committed only when a crash lost the next one's checkpoint.
      const bool is_usable = index && index->first_record() + index->records() <= end_;
      const auto places = is_usable ? index->places(filter_.query(), filter_.open())
                                    : Result<IndexReader::Places>(fail(""));
      if (places) {
        auto done = read_places(number, *bytes, *places);
        if (done && !is_over_) next_ = index->first_record() + index->records();
        return done;
      }
      if (index && !is_usable) return read_whole(number);
      if (!may_build || !build(number, index ? places.error().message : index.error().message)) {
        return read_whole(number);
      }
    }
  }

  /// Part by part as far as there are indexes, and then all that is behind.
  Result<void> search_open(std::uint64_t number) {
    const auto bytes = bytes_of_segment(segment_path(directory_, number));
    if (!bytes) return tl::unexpected(bytes.error());
    std::uint64_t offset = 0;
    for (std::uint64_t part = 0;; ++part) {
      const auto index =
          IndexReader::open_part(index_part_path(directory_, number, part), number, offset, *bytes);
      if (!index || index->first_record() + index->records() > end_) break;
      const auto places = index->places(filter_.query(), filter_.open());
      if (!places) break;
      if (auto done = read_places(number, *bytes, *places); !done || is_over_) return done;
      next_ = index->first_record() + index->records();
      offset = index->end();
      behind_ = std::max(behind_, RecordPlace{number, offset});
    }
    return offset == 0 ? read_whole(number) : read_behind(number, offset);
  }

  [[nodiscard]] bool goes_on(RecordPlace at) const {
    return !events_.goes_on || events_.goes_on(at);
  }

  /// False when it cannot be built: the search goes on without.
  bool build(std::uint64_t number, const std::string& why) {
    std::error_code ignored;
    const bool is_damaged = std::filesystem::exists(index_path(directory_, number), ignored);
    const auto built = write_index(directory_, number);
    if (built && is_damaged) note(fmt::format("{}: it was built again", why));
    if (!built) {
      note(fmt::format("segment {} has no index ({}); it is read as a whole", number,
                       built.error().message));
    }
    return built.has_value();
  }

  void note(const std::string& text) const {
    if (events_.index_note) events_.index_note(text);
  }

  /// bytes   of the segment that the places are in, at least.
  Result<void> read_places(std::uint64_t number, std::uint64_t bytes,
                           const IndexReader::Places& places) {
    if (!places.stretch && places.offsets.empty()) return {};
    auto reader = SegmentReader::open(segment_path(directory_, number));
    if (!reader) return fail(reader.error().message);
    if (reader->size() < bytes) return read_whole(number);  // It was removed meanwhile.
    // A stand-in has its frames in other places.
    const bool is_from = number == from_.segment && reader->form() != SegmentFile::Form::stand_in;
    const std::uint64_t first = is_from ? from_.offset : 0;
    if (places.stretch) {
      if (first >= places.stretch->end) return {};
      reader->seek(std::max(first, places.stretch->begin));
      return read(*reader, number, places.stretch->end);
    }
    for (const std::uint64_t offset : places.offsets) {
      if (offset < first) continue;
      reader->seek(offset);
      if (auto done = read(*reader, number, offset + 1); !done || is_over_) return done;
    }
    return {};
  }

  Result<void> read_whole(std::uint64_t number) {
    auto reader = SegmentReader::open(segment_path(directory_, number));
    if (!reader) return fail(reader.error().message);
    const auto step = reader->next();
    if (!step) return fail(step.error().message);
    const auto header = step->kind == StepKind::frame && step->frame.type() == FrameType::header
                            ? parse_header(step->frame.payload())
                            : std::nullopt;
    if (!header) return fail(fmt::format("segment {} does not begin with a header", number));
    next_ = header->first_record;
    return read_on(*reader, number);
  }

  /// `next_` is the record there.
  Result<void> read_behind(std::uint64_t number, std::uint64_t offset) {
    auto reader = SegmentReader::open(segment_path(directory_, number));
    if (!reader) return fail(reader.error().message);
    reader->seek(offset);
    return read_on(*reader, number);
  }

  Result<void> read_on(SegmentReader& reader, std::uint64_t number) {
    counts_ = true;
    auto done = read(reader, number, std::numeric_limits<std::uint64_t>::max());
    counts_ = false;
    return done;
  }

  /// Frames from where the reader is, that begin before `end`.
  Result<void> read(SegmentReader& reader, std::uint64_t number, std::uint64_t end) {
    while (!is_over_ && (!counts_ || next_ < end_)) {
      const auto step = reader.next();
      if (!step) return fail(step.error().message);
      if (step->kind == StepKind::end || (step->kind == StepKind::frame && step->offset >= end)) {
        return {};
      }
      if (step->kind != StepKind::frame) {
        return fail(fmt::format("segment {} is damaged at byte {}; see sluice verify", number,
                                step->offset));
      }
      if (step->frame.type() == FrameType::removed && counts_) {
        const auto removed = parse_removed(step->frame.payload());
        if (!removed) return fail(fmt::format("segment {}: a frame of no known form", number));
        next_ = removed->end;
      }
      if (step->frame.type() != FrameType::record) continue;
      if (is_over_ = !goes_on({number, step->offset}); is_over_) return {};
      if (counts_) ++next_;
      behind_ = std::max(behind_, RecordPlace{number, step->offset + step->frame.bytes});
      const auto record = fields_of(step->frame.payload());
      if (!record) return fail(fmt::format("segment {}: a frame that holds no record", number));
      const RecordPlace at{number, step->offset};
      if (at >= from_ && filter_.wants(*record)) {
        is_over_ = !events_.found(step->frame.payload(), at);
        if (is_over_) behind_ = at;
      }
      if (step->offset + 1 == end) return {};
    }
    return {};
  }

  using StepKind = SegmentReader::Step::Kind;

  const std::filesystem::path& directory_;
  RecordFilter& filter_;
  const SearchEvents& events_;
  const RecordPlace from_;
  RecordPlace behind_;      ///< All before it was looked at, or cannot be wanted.
  std::uint64_t end_ = 0;   ///< What is committed.
  std::uint64_t next_ = 0;  ///< All before it was looked at.
  bool counts_ = false;     ///< A segment is read as a whole, record by record.
  bool is_over_ = false;
};

}  // namespace

Result<SearchEnd> search(const std::filesystem::path& directory, RecordFilter& filter,
                         const SearchEvents& events, RecordPlace from) {
  return Search(directory, filter, events, from).run();
}

}  // namespace sluice::audit
