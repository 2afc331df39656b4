// What the log needs from a disk, as a seam: tests put a disk behind it that is
// full, fails, or forgets what was not synced. Never on the workers' path.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

/// An open file. Every failure is final for the caller: nothing is retried.
class File {
 public:
  virtual ~File() = default;
  /// Adds at the end; all bytes, or an error with any number of them written.
  [[nodiscard]] virtual Result<void> append(ByteView bytes) = 0;
  /// Replaces the first bytes of the file in place.
  [[nodiscard]] virtual Result<void> overwrite(ByteView bytes) = 0;
  /// What was written before survives power loss (fdatasync).
  [[nodiscard]] virtual Result<void> sync() = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  /// The file must not exist.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::filesystem::path& path) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::filesystem::path& path) = 0;
  /// Cuts the file and syncs it.
  [[nodiscard]] virtual Result<void> truncate(const std::filesystem::path& path,
                                              std::uint64_t bytes) = 0;
  [[nodiscard]] virtual Result<void> rename(const std::filesystem::path& from,
                                            const std::filesystem::path& to) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::filesystem::path& path) = 0;
  /// New, renamed and removed names survive power loss.
  [[nodiscard]] virtual Result<void> sync_directory(const std::filesystem::path& path) = 0;
};

/// The operating system's.
Disk& real_disk() noexcept;

}  // namespace sluice::audit
