// The bytes of one segment for whoever reads it, however they lie on the disk: as they
// were written, or compressed once the segment was sealed; offsets are those of the segment
// as it was written. Of one that retention removed, the bytes of its stand-in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

class SegmentFile {
 public:
  enum class Form {
    written,
    compressed,
    stand_in,
  };

  /// path   of the segment. When it is gone, the compressed one beside it is taken, or
  ///        else its stand-in.
  static Result<std::unique_ptr<SegmentFile>> open(const std::filesystem::path& path);
  virtual ~SegmentFile() = default;
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  /// How many bytes there are now: one that is being written grows.
  virtual Result<std::uint64_t> size() = 0;
  /// Some of the bytes from `offset` on; 0 before the end: they are damaged.
  virtual Result<std::size_t> read(std::uint64_t offset, ByteSpan out) = 0;
  /// All but `written` are of sealed segments; nothing may be torn in them.
  [[nodiscard]] virtual Form form() const noexcept = 0;

 protected:
  SegmentFile() = default;
};

/// A file as it is.
class PlainFile final : public SegmentFile {
 public:
  static Result<std::unique_ptr<PlainFile>> open(const std::filesystem::path& path,
                                                 Form form = Form::written);
  ~PlainFile() override;

  Result<std::uint64_t> size() override;
  Result<std::size_t> read(std::uint64_t offset, ByteSpan out) override;
  [[nodiscard]] Form form() const noexcept override { return form_; }

 private:
  PlainFile(int fd, std::filesystem::path path, Form form)
      : fd_(fd), path_(std::move(path)), form_(form) {}

  int fd_;
  std::filesystem::path path_;
  Form form_;
};

/// All of `out`; false: it ends before, or is damaged.
Result<bool> read_all(SegmentFile& file, std::uint64_t offset, ByteSpan out);

/// Of the segment as it was written.
Result<std::uint64_t> bytes_of_segment(const std::filesystem::path& path);

}  // namespace sluice::audit
