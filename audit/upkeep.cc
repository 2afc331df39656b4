#include "audit/upkeep.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include "audit/index_reader.h"
#include "audit/index_writer.h"
#include "audit/segment.h"

namespace sluice::audit {
namespace {

constexpr std::chrono::seconds pause{1};
constexpr int lowest_priority = 19;

bool has_index(const std::filesystem::path& directory, std::uint64_t segment) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(segment_path(directory, segment), error);
  return !error && IndexReader::open(index_path(directory, segment), segment, bytes).has_value();
}

}  // namespace

Upkeep::Upkeep(std::filesystem::path directory)
    : directory_(std::move(directory)), thread_([this] { run(); }) {
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
    look_after_sealed();
    lock.lock();
    stop_.wait_for(lock, pause, [this] { return is_stopping_; });
  }
}

void Upkeep::look_after_sealed() {
  const auto segments = count_segments(directory_);
  while (segments && done_ + 1 < *segments) {
    const std::uint64_t segment = done_ + 1;
    // Without an index searches read the segment, and say why there is none.
    if (!has_index(directory_, segment)) static_cast<void>(write_index(directory_, segment));
    done_ = segment;
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
  }
}

}  // namespace sluice::audit
