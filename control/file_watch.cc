#include "control/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace sluice::control {

FileWatch::FileWatch(std::string path) : path_(std::move(path)) {
  static_cast<void>(look(seen_));
}

bool FileWatch::has_changed() {
  Look now;
  if (!look(now) || now == seen_) return false;
  seen_ = now;
  return true;
}

bool FileWatch::look(Look& now) const {
  struct stat status {};
  if (path_.empty() || ::stat(path_.c_str(), &status) != 0) return false;
  now = {.device = status.st_dev,
         .inode = status.st_ino,
         .size = status.st_size,
         .modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  return true;
}

}  // namespace sluice::control
