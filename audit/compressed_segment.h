// A sealed segment, compressed without changing a byte of it: no leaf, no offset.
//
//   frames   of Zstandard, each of the next 128 KiB of the segment, the last of its rest
//   table    in a skippable frame, which Zstandard's tools pass over; little-endian:
//            its magic, u32, and how many bytes follow, u32
//            of each frame its length, u32, and its CRC32C, u32
//            the segment's length, u64
//            CRC32C of the table so far, u32
//
// So `zstd -d` gives the segment back, one record is read without the rest, and each
// changed bit is noticed, those that change nothing of the content included.
//
// source   RFC 8878 §3.1
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "audit/file.h"
#include "audit/segment_file.h"

struct ZSTD_DCtx_s;

namespace sluice::audit {

/// Puts the compressed segment in the place of the other. Whatever interrupts it, one of
/// them is whole and found.
/// errors   the disk, or `stop`; the segment is as it was.
Result<void> compress_segment(Disk& disk, const std::filesystem::path& segment,
                              const std::atomic<bool>& stop);

class CompressedSegment final : public SegmentFile {
 public:
  /// One whose table does not fit it is empty: damaged from its beginning on.
  /// errors   it cannot be read.
  static Result<std::unique_ptr<CompressedSegment>> open(const std::filesystem::path& path);
  ~CompressedSegment() override;

  Result<std::uint64_t> size() override { return size_; }
  Result<std::size_t> read(std::uint64_t offset, ByteSpan out) override;
  [[nodiscard]] Form form() const noexcept override { return Form::compressed; }

 private:
  struct Block {
    std::uint64_t offset = 0;  ///< In the file.
    std::uint32_t bytes = 0;   ///< There.
    std::uint32_t crc = 0;     ///< Of those.
  };
  struct ContextFree {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };

  explicit CompressedSegment(std::unique_ptr<PlainFile> file);
  [[nodiscard]] Result<bool> read_table();
  [[nodiscard]] Result<bool> load(std::size_t block);

  std::unique_ptr<PlainFile> file_;
  std::unique_ptr<ZSTD_DCtx_s, ContextFree> context_;
  std::vector<Block> blocks_;
  std::uint64_t size_ = 0;
  std::vector<std::uint8_t> compressed_;
  std::vector<std::uint8_t> content_;  ///< Of the block that was read last.
  std::size_t loaded_ = SIZE_MAX;      ///< Its number.
};

}  // namespace sluice::audit
