#include "stuck_disk.h"

#include <utility>

namespace sluice::dataplane {
namespace {

class StuckFile final : public audit::File {
 public:
  StuckFile(StuckDisk& disk, std::unique_ptr<audit::File> file)
      : disk_(disk), file_(std::move(file)) {}

  Result<void> append(ByteView bytes) override {
    disk_.wait();
    return file_->append(bytes);
  }
  Result<void> overwrite(ByteView bytes) override {
    disk_.wait();
    return file_->overwrite(bytes);
  }
  Result<void> sync() override {
    disk_.wait();
    return file_->sync();
  }

 private:
  StuckDisk& disk_;
  std::unique_ptr<audit::File> file_;
};

Result<std::unique_ptr<audit::File>> on(StuckDisk& disk,
                                        Result<std::unique_ptr<audit::File>> file) {
  if (!file) return file;
  return std::unique_ptr<audit::File>(std::make_unique<StuckFile>(disk, std::move(*file)));
}

}  // namespace

void StuckDisk::stick(bool is_stuck) {
  const std::lock_guard lock(mutex_);
  is_stuck_ = is_stuck;
  moved_.notify_all();
}

void StuckDisk::wait() {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] { return !is_stuck_; });
}

Result<std::unique_ptr<audit::File>> StuckDisk::create(const std::filesystem::path& path) {
  return on(*this, audit::real_disk().create(path));
}

Result<std::unique_ptr<audit::File>> StuckDisk::open(const std::filesystem::path& path) {
  return on(*this, audit::real_disk().open(path));
}

Result<void> StuckDisk::truncate(const std::filesystem::path& path, std::uint64_t bytes) {
  return audit::real_disk().truncate(path, bytes);
}

Result<void> StuckDisk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  return audit::real_disk().rename(from, to);
}

Result<void> StuckDisk::remove(const std::filesystem::path& path) {
  return audit::real_disk().remove(path);
}

Result<void> StuckDisk::sync_directory(const std::filesystem::path& path) {
  return audit::real_disk().sync_directory(path);
}

}  // namespace sluice::dataplane
