#include "audit/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sluice::audit {
namespace {

tl::unexpected<Error> system_failure(const char* what, const std::filesystem::path& path) {
  return fail(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

class RealFile final : public File {
 public:
  RealFile(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  ~RealFile() override { ::close(fd_); }
  RealFile(const RealFile&) = delete;
  RealFile& operator=(const RealFile&) = delete;

  Result<void> append(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return system_failure("write to", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }
  Result<void> overwrite(ByteView bytes) override {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), 0);
    if (written != static_cast<ssize_t>(bytes.size())) return system_failure("write to", path_);
    return {};
  }
  Result<void> sync() override {
    if (::fdatasync(fd_) != 0) return system_failure("sync", path_);
    return {};
  }

 private:
  int fd_;
  std::filesystem::path path_;
};

class RealDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override {
    return open_with(path, O_CREAT | O_EXCL);
  }
  Result<std::unique_ptr<File>> open(const std::filesystem::path& path) override {
    return open_with(path, 0);
  }
  Result<void> truncate(const std::filesystem::path& path, std::uint64_t bytes) override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return system_failure("open", path);
    const bool is_done = ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 && ::fsync(fd) == 0;
    Result<void> result;
    if (!is_done) result = system_failure("truncate", path);
    // What is read of it next is what the disk has.
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
    return result;
  }
  Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename", from);
    return {};
  }
  Result<void> remove(const std::filesystem::path& path) override {
    if (::unlink(path.c_str()) != 0) return system_failure("remove", path);
    return {};
  }
  Result<void> sync_directory(const std::filesystem::path& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_failure("open", path);
    Result<void> result;
    if (::fsync(fd) != 0) result = system_failure("sync", path);
    ::close(fd);
    return result;
  }

 private:
  static Result<std::unique_ptr<File>> open_with(const std::filesystem::path& path, int flags) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, S_IRUSR | S_IWUSR | S_IRGRP);
    if (fd < 0) return system_failure((flags & O_CREAT) != 0 ? "create" : "open", path);
    return std::make_unique<RealFile>(fd, path);
  }
};

}  // namespace

Disk& real_disk() noexcept {
  static RealDisk disk;
  return disk;
}

}  // namespace sluice::audit
