#include "evidence/nameless_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sluice::evidence {
namespace {

/// Not all file systems can make one that never had a name.
int open_nameless(const std::filesystem::path& folder) {
  const int made = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (made >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return made;
  std::string name = folder / ".sluice-package-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

tl::unexpected<Error> cannot_write(const std::filesystem::path& folder) {
  return fail(fmt::format("cannot write in {}: {}", folder.string(), std::strerror(errno)));
}

}  // namespace

Result<void> Room::goes_on() const {
  return place_.goes_on ? place_.goes_on() : Result<void>();
}

Result<void> Room::take(std::uint64_t bytes) {
  if (bytes > left_) {
    return fail(fmt::format("making it takes more than {} bytes in {}: ask for less",
                            place_.bytes_max, place_.folder.string()));
  }
  left_ -= bytes;
  return goes_on();
}

Result<NamelessFile> NamelessFile::in(std::shared_ptr<Room> room) {
  const std::filesystem::path& folder = room->folder();
  const int descriptor = open_nameless(folder.empty() ? "." : folder);
  std::FILE* const file = descriptor < 0 ? nullptr : ::fdopen(descriptor, "w+b");
  if (file != nullptr) return NamelessFile(std::move(room), file);
  auto fault = cannot_write(folder);
  if (descriptor >= 0) ::close(descriptor);
  return fault;
}

std::filesystem::path NamelessFile::path() const {
  return fmt::format("/proc/self/fd/{}", ::fileno(file_.get()));
}

Result<std::string> NamelessFile::read(std::uint64_t at, std::size_t bytes_max) const {
  std::string out(std::min<std::uint64_t>(bytes_max, bytes_ - std::min(at, bytes_)), '\0');
  const ssize_t got =
      ::pread(::fileno(file_.get()), out.data(), out.size(), static_cast<off_t>(at));
  if (got == static_cast<ssize_t>(out.size())) return out;
  return fail(fmt::format("cannot read what was written in {}", room_->folder().string()));
}

Result<void> NamelessFile::write(std::uint64_t at, ByteView bytes) {
  const std::uint64_t end = std::max(bytes_, at + bytes.size());
  if (auto taken = room_->take(end - bytes_); !taken) return taken;
  if (at != at_ && ::fseeko(file_.get(), static_cast<off_t>(at), SEEK_SET) != 0) {
    return cannot_write(room_->folder());
  }
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    return cannot_write(room_->folder());
  }
  at_ = at + bytes.size();
  bytes_ = end;
  return {};
}

Result<void> NamelessFile::flush() {
  if (std::fflush(file_.get()) == 0) return {};
  return cannot_write(room_->folder());
}

}  // namespace sluice::evidence
