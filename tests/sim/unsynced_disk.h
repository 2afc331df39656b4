// A real disk that is never waited for: a simulation loses no power.
#pragma once

#include "audit/file.h"

namespace sluice::dataplane {

class UnsyncedDisk final : public audit::Disk {
 public:
  Result<std::unique_ptr<audit::File>> create(const std::filesystem::path& path) override;
  Result<std::unique_ptr<audit::File>> open(const std::filesystem::path& path) override;
  Result<void> truncate(const std::filesystem::path& path, std::uint64_t bytes) override;
  Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Result<void> remove(const std::filesystem::path& path) override;
  Result<void> sync_directory(const std::filesystem::path& path) override;
};

}  // namespace sluice::dataplane
