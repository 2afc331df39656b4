// A disk that takes its time: while it is stuck, nothing that is written returns.
#pragma once

#include <condition_variable>
#include <mutex>

#include "audit/file.h"

namespace sluice::dataplane {

class StuckDisk final : public audit::Disk {
 public:
  void stick(bool is_stuck);

  Result<std::unique_ptr<audit::File>> create(const std::filesystem::path& path) override;
  Result<std::unique_ptr<audit::File>> open(const std::filesystem::path& path) override;
  Result<void> truncate(const std::filesystem::path& path, std::uint64_t bytes) override;
  Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Result<void> remove(const std::filesystem::path& path) override;
  Result<void> sync_directory(const std::filesystem::path& path) override;

  /// Until it moves.
  void wait();

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  bool is_stuck_ = false;
};

}  // namespace sluice::dataplane
