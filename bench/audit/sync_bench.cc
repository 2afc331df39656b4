// What a sync costs, and whether two at once cost less: the floor under durable release.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::audit {
namespace {

enum Kind : std::int64_t {
  append = 0,        ///< As the log does.
  preallocated = 1,  ///< The same, the room allocated before.
  overwrite = 2,     ///< Of blocks that were written and synced before.
};

constexpr std::size_t batch_bytes = 3'000;  // Some ten records and a commit.
constexpr off_t file_bytes = off_t{64} << 20;

class SyncedFile {
 public:
  SyncedFile(Kind kind, int number) {
    const char* base = std::getenv("SLUICE_BENCH_FOLDER");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/sluice-sync-" +
            std::to_string(::getpid()) + "-" + std::to_string(number);
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_made = fd_ >= 0;
    if (kind == preallocated) {
      is_made = is_made && ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, file_bytes) == 0;
    }
    if (kind == overwrite) {
      const std::vector<char> zeros(static_cast<std::size_t>(file_bytes));
      is_made = is_made && ::pwrite(fd_, zeros.data(), zeros.size(), 0) == file_bytes;
    }
    if (!is_made || ::fsync(fd_) != 0) throw std::runtime_error("cannot make " + path_);
  }
  ~SyncedFile() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  SyncedFile(const SyncedFile&) = delete;
  SyncedFile& operator=(const SyncedFile&) = delete;

  void write_and_sync() {
    static const std::vector<char> batch(batch_bytes, 'x');
    if (::pwrite(fd_, batch.data(), batch.size(), at_) != static_cast<ssize_t>(batch.size()) ||
        ::fdatasync(fd_) != 0) {
      throw std::runtime_error("cannot sync");
    }
    at_ = (at_ + static_cast<off_t>(batch_bytes)) % (file_bytes - static_cast<off_t>(batch_bytes));
  }

 private:
  std::string path_;
  int fd_ = -1;
  off_t at_ = 0;
};

/// Each thread has a file of its own: where the kernel could overlap syncs, it may here.
void batch_is_synced(benchmark::State& state) {
  SyncedFile file(static_cast<Kind>(state.range(0)), state.thread_index());
  for (auto _ : state) file.write_and_sync();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(batch_is_synced)
    ->ArgName("kind")
    ->Arg(append)
    ->Arg(preallocated)
    ->Arg(overwrite)
    ->ThreadRange(1, 2)
    ->Iterations(500)
    ->UseRealTime();

}  // namespace
}  // namespace sluice::audit
