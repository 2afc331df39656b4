// Held by whoever may write into an audit directory: two writers would overwrite each other's
// rings.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace sluice::audit {

class DirectoryLock {
 public:
  /// Makes the lock's file where there is none.
  /// errors   another process has it.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;

 private:
  explicit DirectoryLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace sluice::audit
