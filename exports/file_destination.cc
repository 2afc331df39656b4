#include "exports/file_destination.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace sluice::exports {
namespace {

/// How much of a file is whole lines.
Result<std::uint64_t> whole_lines(const std::filesystem::path& path, std::uint64_t size) {
  constexpr std::uint64_t step_bytes = 64 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::string block;
  for (std::uint64_t end = size; end != 0;) {
    const std::uint64_t begin = end - std::min(end, step_bytes);
    block.resize(end - begin);
    file.seekg(static_cast<std::streamoff>(begin));
    if (!file.read(block.data(), static_cast<std::streamsize>(block.size()))) {
      return fail(fmt::format("cannot read {}", path.string()));
    }
    if (const std::size_t newline = block.rfind('\n'); newline != block.npos) {
      return begin + newline + 1;
    }
    end = begin;
  }
  return 0;
}

}  // namespace

std::string FileDestination::frame(const ExportedRecord& /*record*/, std::string line) const {
  line += '\n';
  return line;
}

Result<void, SendError> FileDestination::send(const Batch& batch) {
  if (!file_) {
    if (auto done = open(); !done) return tl::unexpected(done.error());
  }
  if (bytes_ >= rotate_bytes_) {
    if (auto done = begin(number_ + 1); !done) return tl::unexpected(done.error());
  }
  auto done = file_->append(as_bytes(batch.frames));
  if (done) done = file_->sync();
  if (!done) {
    file_.reset();  // What is behind the last sync is looked at again.
    return tl::unexpected(done.error());
  }
  bytes_ += batch.frames.size();
  return {};
}

Result<void> FileDestination::open() {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) return fail(fmt::format("{}: {}", directory_.string(), error.message()));
  const std::uint64_t last = last_number();
  if (last == 0) return begin(1);
  // Nothing is added to a file that another process wrote, or that failed.
  const std::filesystem::path path = path_of(last);
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) return fail(fmt::format("{}: {}", path.string(), error.message()));
  const auto whole = whole_lines(path, size);
  if (!whole) return fail(whole.error().message);
  if (*whole != size) {
    if (auto done = audit::real_disk().truncate(path, *whole); !done) return done;
  }
  return begin(last + 1);
}

Result<void> FileDestination::begin(std::uint64_t number) {
  auto file = audit::real_disk().create(path_of(number));
  if (!file) return fail(file.error().message);
  if (auto done = audit::real_disk().sync_directory(directory_); !done) return done;
  file_ = std::move(*file);
  number_ = number;
  bytes_ = 0;
  return {};
}

std::filesystem::path FileDestination::path_of(std::uint64_t number) const {
  return directory_ / fmt::format("{}-{:08}.log", name_, number);
}

std::uint64_t FileDestination::last_number() const {
  std::uint64_t last = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string file = entry.path().filename().string();
    const std::string prefix = name_ + "-";
    if (!file.starts_with(prefix)) continue;
    std::uint64_t number = 0;
    std::from_chars(file.data() + prefix.size(), file.data() + file.size(), number);
    if (number != 0 && entry.path() == path_of(number)) last = std::max(last, number);
  }
  return last;
}

}  // namespace sluice::exports
