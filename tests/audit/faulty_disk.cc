#include "faulty_disk.h"

#include <algorithm>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

constexpr std::size_t block_bytes = 512;

void blank(std::string& content, std::size_t begin, std::size_t end) {
  end = std::min(end, content.size());
  if (begin < end) std::fill_n(content.data() + begin, end - begin, '\0');
}

}  // namespace

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyDisk& disk, std::filesystem::path path, std::unique_ptr<File> real)
      : disk_(disk), path_(std::move(path)), real_(std::move(real)) {}

  Result<void> append(ByteView bytes) override {
    if (!disk_.fails(FaultyDisk::Operation::append)) return real_->append(bytes);
    // A write that fails may have been begun.
    if (disk_.fault_ == FaultyDisk::Fault::full || disk_.fault_ == FaultyDisk::Fault::stopped) {
      static_cast<void>(real_->append(bytes.first(bytes.size() / 2)));
    }
    return disk_.failure();
  }
  Result<void> overwrite(ByteView bytes) override {
    if (disk_.fails(FaultyDisk::Operation::overwrite)) return disk_.failure();
    return real_->overwrite(bytes);
  }
  Result<void> sync() override {
    if (disk_.fails(FaultyDisk::Operation::sync)) {
      if (disk_.fault_ != FaultyDisk::Fault::stopped) disk_.note_lost(path_);
      return disk_.failure();
    }
    // Content that is remembered is durable; the real disk need not be bothered.
    disk_.note_synced(path_);
    return {};
  }

 private:
  FaultyDisk& disk_;
  std::filesystem::path path_;
  std::unique_ptr<File> real_;
};

bool FaultyDisk::fails(Operation operation) {
  const std::uint64_t number = ++operations_;
  const std::uint64_t first = fail_at_;
  if (first == 0 || number < first) return false;
  const bool syncs = operation == Operation::sync;
  bool is_hit = true;
  if (fault_ == Fault::sync_error) is_hit = syncs;
  if (fault_ == Fault::full) is_hit = operation == Operation::append;
  if (fault_ == Fault::read_only) is_hit = !syncs;
  has_failed_ = has_failed_ || is_hit;
  return is_hit;
}

tl::unexpected<Error> FaultyDisk::failure() const {
  switch (fault_) {
    case Fault::full:
      return fail("injected: no space left on device");
    case Fault::read_only:
      return fail("injected: read-only file system");
    case Fault::error:
    case Fault::sync_error:
    case Fault::stopped:
      break;
  }
  return fail("injected: input/output error");
}

void FaultyDisk::note_synced(const std::filesystem::path& path) {
  Known& known = known_[path];
  known.synced = read_file(path);
  blank(known.synced, known.lost_begin, known.lost_end);
}

void FaultyDisk::note_lost(const std::filesystem::path& path) {
  Known& known = known_[path];
  if (known.lost_begin == known.lost_end) known.lost_begin = known.synced.size();
  known.lost_end = static_cast<std::size_t>(std::filesystem::file_size(path));
}

Result<std::unique_ptr<File>> FaultyDisk::create(const std::filesystem::path& path) {
  if (fails(Operation::create)) return failure();
  auto real = real_disk().create(path);
  if (!real) return real;
  known_[path] = {};
  return std::make_unique<FaultyFile>(*this, path, std::move(*real));
}

Result<std::unique_ptr<File>> FaultyDisk::open(const std::filesystem::path& path) {
  if (fails(Operation::open)) return failure();
  auto real = real_disk().open(path);
  if (!real) return real;
  // One that another disk left here was synced there.
  if (!known_.contains(path)) {
    known_[path].synced = read_file(path);
    known_[path].is_name_synced = true;
  }
  return std::make_unique<FaultyFile>(*this, path, std::move(*real));
}

Result<void> FaultyDisk::truncate(const std::filesystem::path& path, std::uint64_t bytes) {
  if (fails(Operation::change)) return failure();
  if (auto done = real_disk().truncate(path, bytes); !done) return done;
  const auto known = known_.find(path);
  if (known == known_.end()) return {};
  known->second.lost_end = std::min<std::size_t>(known->second.lost_end, bytes);
  known->second.lost_begin = std::min(known->second.lost_begin, known->second.lost_end);
  note_synced(path);
  return {};
}

Result<void> FaultyDisk::rename(const std::filesystem::path& from,
                                const std::filesystem::path& to) {
  if (fails(Operation::change)) return failure();
  Known moved = known_[from];
  if (std::filesystem::exists(to)) moved.replaced = read_file(to);
  known_.erase(from);
  known_[to] = moved;
  return real_disk().rename(from, to);
}

Result<void> FaultyDisk::remove(const std::filesystem::path& path) {
  if (fails(Operation::change)) return failure();
  known_.erase(path);
  return real_disk().remove(path);
}

Result<void> FaultyDisk::sync_directory(const std::filesystem::path& path) {
  if (fails(Operation::sync)) return failure();
  for (auto& [name, known] : known_) {
    if (name.parent_path() != path) continue;
    known.is_name_synced = true;
    known.replaced.reset();
  }
  return {};
}

void FaultyDisk::cut_power(std::mt19937_64& random, const std::filesystem::path& directory) {
  for (const auto& [original, known] : known_) {
    const auto path = directory.empty() ? original : directory / original.filename();
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
        if (random() % 4 == 0) blank(content, at, end);
        at = end;
      }
    }
    blank(content, known.lost_begin, known.lost_end);
    write_file(path, content);
  }
}

}  // namespace sluice::audit
