#include "audit/upkeep.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include "audit/compressed_segment.h"
#include "audit/index_reader.h"
#include "audit/index_writer.h"
#include "audit/segment.h"

namespace sluice::audit {
namespace {

constexpr std::chrono::seconds pause{1};
constexpr int lowest_priority = 19;

bool has_index(const std::filesystem::path& directory, std::uint64_t segment) {
  const auto bytes = bytes_of_segment(segment_path(directory, segment));
  return bytes && IndexReader::open(index_path(directory, segment), segment, *bytes).has_value();
}

/// The log must not miss the room that is taken meanwhile.
bool has_room_beside(const std::filesystem::path& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  const auto space = std::filesystem::space(file.parent_path(), error);
  return !error && space.available / 2 > bytes;
}

}  // namespace

Upkeep::Upkeep(std::filesystem::path directory, std::vector<Chore> chores)
    : directory_(std::move(directory)), chores_(std::move(chores)), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "audit-upkeep");
}

Upkeep::~Upkeep() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Upkeep::run() {
  // On Linux a priority is a thread's.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), lowest_priority);
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    const auto segments = count_segments(directory_);
    const std::uint64_t sealed = segments && *segments > 0 ? *segments - 1 : 0;
    index_sealed(sealed);
    index_open(sealed + 1);
    compress_sealed(sealed);
    for (const Chore& chore : chores_) chore(is_stopping_);
    lock.lock();
    stop_.wait_for(lock, pause, [this] { return is_stopping_.load(); });
  }
}

void Upkeep::index_sealed(std::uint64_t sealed) {
  for (; indexed_ < sealed && !is_stopping_; ++indexed_) {
    const std::uint64_t segment = indexed_ + 1;
    // Without an index searches read the segment, and say why there is none.
    if (!has_index(directory_, segment)) static_cast<void>(write_index(directory_, segment));
  }
}

void Upkeep::index_open(std::uint64_t segment) {
  if (open_.segment != segment) open_ = {.segment = segment};
  // Without an index searches read what is there.
  while (!is_stopping_ && write_index_part(directory_, open_).value_or(false)) {
  }
}

void Upkeep::compress_sealed(std::uint64_t sealed) {
  for (; compressed_ < sealed && !is_stopping_; ++compressed_) {
    const std::filesystem::path segment = segment_path(directory_, compressed_ + 1);
    std::error_code ignored;
    if (!std::filesystem::exists(segment, ignored)) continue;
    if (!has_room_beside(segment)) return;
    // One that cannot be compressed stays as it is.
    static_cast<void>(compress_segment(real_disk(), segment, is_stopping_));
  }
}

}  // namespace sluice::audit
