// Streams the frames of one segment with a fixed buffer. The file may be
// growing under a running gateway, so its size is looked at once, and what comes
// later is not seen; it may end in the middle of a frame.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "audit/frame.h"
#include "audit/segment.h"
#include "audit/segment_file.h"
#include "base/result.h"

namespace sluice::audit {

class SegmentReader {
 public:
  struct Step {
    enum class Kind {
      frame,
      end,   ///< The file ends behind a whole frame.
      torn,  ///< It ends inside a frame, or inside the magic.
      /// Bytes that are no frame, or that cannot be decompressed; or a frame that stands for
      /// removed records, in what is no stand-in.
      damaged,
    };
    Kind kind = Kind::end;
    FrameStep frame;           ///< Valid until the next call.
    std::uint64_t offset = 0;  ///< Where the frame, or the fault, begins.
  };

  /// path   of the segment, also of one that is compressed.
  static Result<SegmentReader> open(const std::filesystem::path& path);

  Result<Step> next();
  /// Looks at the size again, to go on behind what was the end.
  Result<void> follow();
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] SegmentFile::Form form() const noexcept { return file_->form(); }
  /// Whatever is wrong with its end is damage.
  [[nodiscard]] bool is_sealed() const noexcept { return form() != SegmentFile::Form::written; }
  /// Continues at a frame's offset seen before.
  void seek(std::uint64_t offset);
  /// How many intact commit frames lie anywhere behind `offset`: evidence that
  /// damage there is not just the torn end of the last write.
  Result<std::uint64_t> count_commits_behind(std::uint64_t offset);

 private:
  explicit SegmentReader(std::unique_ptr<SegmentFile> file);
  /// Makes at least `bytes` available behind the cursor if the file has them.
  Result<void> fill(std::size_t bytes);
  [[nodiscard]] ByteView available() const noexcept {
    return ByteView(buffer_).subspan(begin_, end_ - begin_);
  }
  void consume(std::size_t bytes) noexcept {
    begin_ += bytes;
    offset_ += bytes;
  }

  std::unique_ptr<SegmentFile> file_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;  ///< In the file, of begin_.
  std::uint64_t size_ = 0;    ///< Of the file, as last looked at.
};

/// errors   it cannot be read, or does not begin with a header.
Result<SegmentHeader> read_header(const std::filesystem::path& segment);

}  // namespace sluice::audit
