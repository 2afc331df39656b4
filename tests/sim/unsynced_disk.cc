#include "unsynced_disk.h"

#include <utility>

namespace sluice::dataplane {
namespace {

class UnsyncedFile final : public audit::File {
 public:
  explicit UnsyncedFile(std::unique_ptr<audit::File> real) : real_(std::move(real)) {}

  Result<void> append(ByteView bytes) override { return real_->append(bytes); }
  Result<void> overwrite(ByteView bytes) override { return real_->overwrite(bytes); }
  Result<void> sync() override { return {}; }

 private:
  std::unique_ptr<audit::File> real_;
};

Result<std::unique_ptr<audit::File>> unsynced(Result<std::unique_ptr<audit::File>> real) {
  if (!real) return real;
  return std::make_unique<UnsyncedFile>(std::move(*real));
}

}  // namespace

Result<std::unique_ptr<audit::File>> UnsyncedDisk::create(const std::filesystem::path& path) {
  return unsynced(audit::real_disk().create(path));
}

Result<std::unique_ptr<audit::File>> UnsyncedDisk::open(const std::filesystem::path& path) {
  return unsynced(audit::real_disk().open(path));
}

Result<void> UnsyncedDisk::truncate(const std::filesystem::path& path, std::uint64_t bytes) {
  return audit::real_disk().truncate(path, bytes);
}

Result<void> UnsyncedDisk::rename(const std::filesystem::path& from,
                                  const std::filesystem::path& to) {
  return audit::real_disk().rename(from, to);
}

Result<void> UnsyncedDisk::remove(const std::filesystem::path& path) {
  return audit::real_disk().remove(path);
}

Result<void> UnsyncedDisk::sync_directory(const std::filesystem::path& /*path*/) {
  return {};
}

}  // namespace sluice::dataplane
