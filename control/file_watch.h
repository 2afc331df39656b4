// Notices that a file was changed or replaced, by looking at it now and then.
//
// Polling rather than inotify: it also sees changes on network file systems, and
// files that an orchestrator swaps by renaming a directory above them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sluice::control {

class FileWatch {
 public:
  /// What the file is now counts as seen. An empty path never changes.
  explicit FileWatch(std::string path);

  /// Whether the file differs from what the last call, or the constructor, saw.
  /// A file that is gone has not changed: what was read from it still holds.
  [[nodiscard]] bool has_changed();

 private:
  struct Look {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Look&) const = default;
  };
  [[nodiscard]] bool look(Look& now) const;

  std::string path_;
  Look seen_;
};

}  // namespace sluice::control
