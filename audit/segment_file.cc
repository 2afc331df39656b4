#include "audit/segment_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "audit/compressed_segment.h"
#include "audit/segment.h"

namespace sluice::audit {
namespace {

tl::unexpected<Error> unreadable(const char* what, const std::filesystem::path& path) {
  return fail(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

template <class Kind>
Result<std::unique_ptr<SegmentFile>> as_segment(Result<std::unique_ptr<Kind>> file) {
  if (!file) return tl::unexpected(file.error());
  return std::unique_ptr<SegmentFile>(std::move(*file));
}

}  // namespace

Result<std::unique_ptr<SegmentFile>> SegmentFile::open(const std::filesystem::path& path) {
  auto plain = PlainFile::open(path);
  if (plain) return as_segment(std::move(plain));
  std::error_code ignored;
  const auto compressed = compressed_path(path);
  if (std::filesystem::exists(compressed, ignored)) {
    auto file = CompressedSegment::open(compressed);
    // It may go just now: its stand-in was there before that.
    if (file || std::filesystem::exists(compressed, ignored)) return as_segment(std::move(file));
  }
  const auto stand_in = stand_in_path(path);
  if (!std::filesystem::exists(stand_in, ignored)) return as_segment(std::move(plain));
  return as_segment(PlainFile::open(stand_in, Form::stand_in));
}

Result<std::unique_ptr<PlainFile>> PlainFile::open(const std::filesystem::path& path, Form form) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable("open", path);
  return std::unique_ptr<PlainFile>(new PlainFile(fd, path, form));
}

PlainFile::~PlainFile() {
  ::close(fd_);
}

Result<std::uint64_t> PlainFile::size() {
  struct ::stat info {};
  if (::fstat(fd_, &info) != 0) return unreadable("read", path_);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::size_t> PlainFile::read(std::uint64_t offset, ByteSpan out) {
  for (;;) {
    const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return unreadable("read", path_);
  }
}

Result<bool> read_all(SegmentFile& file, std::uint64_t offset, ByteSpan out) {
  while (!out.empty()) {
    const auto got = file.read(offset, out);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return false;
    offset += *got;
    out = out.subspan(*got);
  }
  return true;
}

Result<std::uint64_t> bytes_of_segment(const std::filesystem::path& path) {
  const auto file = SegmentFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return (*file)->size();
}

}  // namespace sluice::audit
