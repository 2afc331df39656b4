#include "audit/compressed_segment.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "audit/segment.h"
#include "base/assert.h"
#include "base/crc32c.h"

namespace sluice::audit {
namespace {

static_assert(std::endian::native == std::endian::little);

/// What a search decompresses to read one record.
constexpr std::size_t block_bytes = std::size_t{128} << 10;
/// The fastest was also the smallest of those that were tried (decision 20).
constexpr int level = -1;
/// More that is not synced would delay the log's own syncs, which wait for it in the
/// file system's journal.
constexpr std::size_t unsynced_bytes_max = std::size_t{4} << 20;

constexpr std::uint32_t skippable_magic = 0x184D2A50;
constexpr std::size_t head_bytes = 8;
constexpr std::size_t entry_bytes = 8;
constexpr std::size_t foot_bytes = 12;
constexpr std::size_t crc_bytes = 4;

struct ContextFree {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

template <class Number>
void put(std::vector<std::uint8_t>& out, Number value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

template <class Number>
Number get(ByteView in, std::size_t at) {
  Number value = 0;
  std::memcpy(&value, in.data() + at, sizeof value);
  return value;
}

constexpr std::uint64_t blocks_of(std::uint64_t bytes) {
  return bytes / block_bytes + (bytes % block_bytes == 0 ? 0 : 1);
}

/// Writes frame by frame, and then the table of what was written.
class Compressor {
 public:
  Compressor(File& out, std::uint64_t segment_bytes)
      : out_(out), compressed_(ZSTD_compressBound(block_bytes)), context_(ZSTD_createCCtx()) {
    ASSERT(context_ != nullptr);
    const std::uint64_t rest = blocks_of(segment_bytes) * entry_bytes + foot_bytes;
    put(table_, skippable_magic);
    put(table_, static_cast<std::uint32_t>(rest));
  }

  Result<void> add(ByteView block) {
    const std::size_t bytes = ZSTD_compressCCtx(
        context_.get(), compressed_.data(), compressed_.size(), block.data(), block.size(), level);
    if (ZSTD_isError(bytes) != 0) return fail(ZSTD_getErrorName(bytes));
    const ByteView frame = ByteView(compressed_).first(bytes);
    put(table_, static_cast<std::uint32_t>(bytes));
    put(table_, crc32c(frame));
    if (auto done = out_.append(frame); !done) return done;
    unsynced_ += bytes;
    if (unsynced_ < unsynced_bytes_max) return {};
    unsynced_ = 0;
    return out_.sync();
  }

  Result<void> finish(std::uint64_t segment_bytes) {
    put(table_, segment_bytes);
    put(table_, crc32c(table_));
    if (auto done = out_.append(table_); !done) return done;
    return out_.sync();
  }

 private:
  File& out_;
  std::vector<std::uint8_t> compressed_;
  std::unique_ptr<ZSTD_CCtx, ContextFree> context_;
  std::vector<std::uint8_t> table_;
  std::size_t unsynced_ = 0;
};

/// Calls `each` with the segment's blocks, in order.
template <class Each>
Result<void> for_blocks(SegmentFile& segment, std::uint64_t size, const std::atomic<bool>& stop,
                        Each each) {
  std::vector<std::uint8_t> block;
  for (std::uint64_t at = 0; at < size; at += block.size()) {
    if (stop) return fail("stopped");
    block.resize(std::min<std::uint64_t>(block_bytes, size - at));
    const auto whole = read_all(segment, at, block);
    if (!whole) return tl::unexpected(whole.error());
    if (!*whole) return fail("a sealed segment became shorter");
    if (auto done = each(at, ByteView(block)); !done) return done;
  }
  return {};
}

Result<void> write_compressed(SegmentFile& segment, File& out, const std::atomic<bool>& stop) {
  const auto size = segment.size();
  if (!size) return tl::unexpected(size.error());
  Compressor compressor(out, *size);
  const auto add = [&compressor](std::uint64_t, ByteView block) { return compressor.add(block); };
  if (auto done = for_blocks(segment, *size, stop, add); !done) return done;
  return compressor.finish(*size);
}

/// Before the original goes: what is read back is that.
Result<void> check_same(SegmentFile& segment, const std::filesystem::path& copy_path,
                        const std::atomic<bool>& stop) {
  const auto copy = CompressedSegment::open(copy_path);
  if (!copy) return tl::unexpected(copy.error());
  const auto size = segment.size();
  if (!size) return tl::unexpected(size.error());
  const auto another = [&copy_path] { return fail(copy_path.string() + " is of another segment"); };
  if ((*copy)->size() != *size) return another();
  std::vector<std::uint8_t> copied;
  return for_blocks(segment, *size, stop, [&](std::uint64_t at, ByteView block) -> Result<void> {
    copied.resize(block.size());
    const auto whole = read_all(**copy, at, copied);
    if (!whole) return tl::unexpected(whole.error());
    if (!*whole || !std::ranges::equal(block, copied)) return another();
    return {};
  });
}

/// A whole file under its name, or none.
Result<void> make_compressed(Disk& disk, SegmentFile& segment, const std::filesystem::path& path,
                             const std::atomic<bool>& stop) {
  const std::filesystem::path draft = path.string() + ".new";
  std::error_code ignored;
  std::filesystem::remove(draft, ignored);
  auto out = disk.create(draft);
  if (!out) return tl::unexpected(out.error());
  auto done = write_compressed(segment, **out, stop);
  if (done) done = disk.rename(draft, path);
  if (!done) std::filesystem::remove(draft, ignored);
  return done;
}

}  // namespace

Result<void> compress_segment(Disk& disk, const std::filesystem::path& segment,
                              const std::atomic<bool>& stop) {
  const std::filesystem::path path = compressed_path(segment);
  const auto original = PlainFile::open(segment);
  if (!original) return tl::unexpected(original.error());
  std::error_code ignored;
  // One that is there already is whole: a killed gateway did not come to remove the original.
  if (!std::filesystem::exists(path, ignored)) {
    if (auto done = make_compressed(disk, **original, path, stop); !done) return done;
  }
  if (auto same = check_same(**original, path, stop); !same) return same;
  // The new name survives power loss before the old one goes.
  if (auto done = disk.sync_directory(path.parent_path()); !done) return done;
  return disk.remove(segment);
}

void CompressedSegment::ContextFree::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

CompressedSegment::CompressedSegment(std::unique_ptr<PlainFile> file)
    : file_(std::move(file)), context_(ZSTD_createDCtx()) {
  ASSERT(context_ != nullptr);
}

CompressedSegment::~CompressedSegment() = default;

Result<std::unique_ptr<CompressedSegment>> CompressedSegment::open(
    const std::filesystem::path& path) {
  auto file = PlainFile::open(path);
  if (!file) return tl::unexpected(file.error());
  std::unique_ptr<CompressedSegment> segment(new CompressedSegment(std::move(*file)));
  const auto fits = segment->read_table();
  if (!fits) return tl::unexpected(fits.error());
  if (!*fits) segment->size_ = 0;
  return segment;
}

/// False: it is not one that fits the file.
Result<bool> CompressedSegment::read_table() {
  const auto bytes = file_->size();
  if (!bytes) return tl::unexpected(bytes.error());
  std::array<std::uint8_t, foot_bytes> foot{};
  if (*bytes < head_bytes + foot.size()) return false;
  auto whole = read_all(*file_, *bytes - foot.size(), foot);
  if (!whole || !*whole) return whole;
  size_ = get<std::uint64_t>(foot, 0);
  const std::uint64_t blocks = blocks_of(size_);
  if (blocks > (*bytes - head_bytes - foot.size()) / entry_bytes) return false;
  std::vector<std::uint8_t> table(head_bytes + blocks * entry_bytes + foot.size());
  const std::uint64_t table_at = *bytes - table.size();
  whole = read_all(*file_, table_at, table);
  if (!whole || !*whole) return whole;
  const std::size_t crc_at = table.size() - crc_bytes;
  if (get<std::uint32_t>(table, 0) != skippable_magic ||
      get<std::uint32_t>(table, 4) != table.size() - head_bytes ||
      get<std::uint32_t>(table, crc_at) != crc32c(ByteView(table).first(crc_at))) {
    return false;
  }
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::size_t entry = head_bytes + i * entry_bytes;
    blocks_.push_back({at, get<std::uint32_t>(table, entry), get<std::uint32_t>(table, entry + 4)});
    if (blocks_.back().bytes > ZSTD_COMPRESSBOUND(block_bytes)) return false;
    at += blocks_.back().bytes;
  }
  return at == table_at;
}

Result<std::size_t> CompressedSegment::read(std::uint64_t offset, ByteSpan out) {
  if (offset >= size_) return std::size_t{0};
  const auto block = static_cast<std::size_t>(offset / block_bytes);
  if (block != loaded_) {
    const auto done = load(block);
    if (!done) return tl::unexpected(done.error());
    if (!*done) return std::size_t{0};
  }
  const ByteView rest = ByteView(content_).subspan(offset % block_bytes);
  const std::size_t count = std::min(rest.size(), out.size());
  std::memcpy(out.data(), rest.data(), count);
  return count;
}

/// False: it is damaged.
Result<bool> CompressedSegment::load(std::size_t number) {
  const Block& block = blocks_[number];
  loaded_ = SIZE_MAX;
  compressed_.resize(block.bytes);
  content_.resize(std::min<std::uint64_t>(block_bytes, size_ - number * block_bytes));
  const auto whole = read_all(*file_, block.offset, compressed_);
  if (!whole || !*whole) return whole;
  if (crc32c(compressed_) != block.crc) return false;
  const std::size_t bytes = ZSTD_decompressDCtx(context_.get(), content_.data(), content_.size(),
                                                compressed_.data(), compressed_.size());
  if (ZSTD_isError(bytes) != 0 || bytes != content_.size()) return false;
  loaded_ = number;
  return true;
}

}  // namespace sluice::audit
