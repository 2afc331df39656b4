#include "cli/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::cli {
namespace {

tl::unexpected<Error> cannot_write(const std::string& path, int error) {
  if (error == EEXIST) return fail(path + " exists already");
  return fail(fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

bool is_there(const std::string& path) {
  struct ::stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

Result<OutputFile> OutputFile::begin(std::string path) {
  // Before any work is done for it.
  if (is_there(path)) return cannot_write(path, EEXIST);
  std::string partial = fmt::format("{}.part-{}", path, ::getpid());
  std::FILE* const file = std::fopen(partial.c_str(), "wxbe");
  if (file == nullptr) return cannot_write(partial, errno);
  return OutputFile(std::move(path), std::move(partial), file);
}

OutputFile::~OutputFile() {
  if (file_) ::unlink(partial_.c_str());
}

Result<void> OutputFile::append(ByteView bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
  return cannot_write(partial_, errno);
}

Result<void> OutputFile::finish() {
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) {
    return cannot_write(partial_, errno);
  }
  // Not every file system can keep what is there; then it is looked at before.
  if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EINVAL) return cannot_write(path_, errno);
    if (is_there(path_)) return cannot_write(path_, EEXIST);
    if (::rename(partial_.c_str(), path_.c_str()) != 0) return cannot_write(path_, errno);
  }
  file_.reset();
  return {};
}

}  // namespace sluice::cli
