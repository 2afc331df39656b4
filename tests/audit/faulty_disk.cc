#include "faulty_disk.h"

#include <algorithm>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

constexpr std::size_t block_bytes = 512;

tl::unexpected<Error> injected() {
  return fail("injected disk failure");
}

}  // namespace

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyDisk& disk, std::filesystem::path path, std::unique_ptr<File> real)
      : disk_(disk), path_(std::move(path)), real_(std::move(real)) {}

  Result<void> append(ByteView bytes) override {
    bool half = false;
    if (disk_.fails(&half)) {
      if (half) (void)real_->append(bytes.first(bytes.size() / 2));
      return injected();
    }
    return real_->append(bytes);
  }
  Result<void> overwrite(ByteView bytes) override {
    if (disk_.fails()) return injected();
    return real_->overwrite(bytes);
  }
  Result<void> sync() override {
    if (disk_.fails()) return injected();
    // Content that is remembered is durable; the real disk need not be bothered.
    disk_.known_[path_].synced = read_file(path_);
    return {};
  }

 private:
  FaultyDisk& disk_;
  std::filesystem::path path_;
  std::unique_ptr<File> real_;
};

bool FaultyDisk::fails(bool* half) {
  ++operations_;
  const bool is_due = operations_ == fail_at_;
  if (is_due && fault_ == Fault::power_off) is_off_ = true;
  if (half != nullptr) *half = is_due && fault_ != Fault::error;
  return is_due || is_off_;
}

Result<std::unique_ptr<File>> FaultyDisk::create(const std::filesystem::path& path) {
  if (fails()) return injected();
  auto real = real_disk().create(path);
  if (!real) return real;
  known_[path] = {};
  return std::make_unique<FaultyFile>(*this, path, std::move(*real));
}

Result<std::unique_ptr<File>> FaultyDisk::open(const std::filesystem::path& path) {
  if (fails()) return injected();
  auto real = real_disk().open(path);
  if (!real) return real;
  return std::make_unique<FaultyFile>(*this, path, std::move(*real));
}

Result<void> FaultyDisk::truncate(const std::filesystem::path& path, std::uint64_t bytes) {
  if (fails()) return injected();
  return real_disk().truncate(path, bytes);
}

Result<void> FaultyDisk::rename(const std::filesystem::path& from,
                                const std::filesystem::path& to) {
  if (fails()) return injected();
  Known moved = known_[from];
  if (std::filesystem::exists(to)) moved.replaced = read_file(to);
  known_.erase(from);
  known_[to] = moved;
  return real_disk().rename(from, to);
}

Result<void> FaultyDisk::remove(const std::filesystem::path& path) {
  if (fails()) return injected();
  known_.erase(path);
  return real_disk().remove(path);
}

Result<void> FaultyDisk::sync_directory(const std::filesystem::path& path) {
  if (fails()) return injected();
  for (auto& [name, known] : known_) {
    if (name.parent_path() != path) continue;
    known.is_name_synced = true;
    known.replaced.reset();
  }
  return {};
}

void FaultyDisk::cut_power(std::mt19937_64& random) {
  for (const auto& [path, known] : known_) {
    if (!std::filesystem::exists(path)) continue;
    if (!known.is_name_synced && random() % 2 == 0) {
      if (known.replaced)
        write_file(path, *known.replaced);
      else
        std::filesystem::remove(path);
      continue;
    }
    std::string content = read_file(path);
    if (content.size() == known.synced.size()) {
      // Overwritten in place, within one block: the old or the new.
      if (random() % 2 == 0) content = known.synced;
    } else if (content.size() > known.synced.size()) {
      content.resize(known.synced.size() + random() % (content.size() - known.synced.size() + 1));
      for (std::size_t at = known.synced.size(); at < content.size();) {
        const std::size_t end = std::min((at / block_bytes + 1) * block_bytes, content.size());
        if (random() % 4 == 0)
          std::fill(content.begin() + static_cast<std::ptrdiff_t>(at),
                    content.begin() + static_cast<std::ptrdiff_t>(end), '\0');
        at = end;
      }
    }
    write_file(path, content);
  }
}

}  // namespace sluice::audit
