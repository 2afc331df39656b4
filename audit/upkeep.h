// What is done to sealed segments, by a thread of its own that gives way to all others:
// each gets its index and is then compressed. Nothing depends on it: searches make an index
// that they miss, and segments are read in any form. Retention is among its other chores.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "audit/index_writer.h"

namespace sluice::audit {

class Upkeep {
 public:
  /// Something else to be done now and then, by the same thread; ends soon when told to.
  using Chore = std::function<void(const std::atomic<bool>& stop)>;

  explicit Upkeep(std::filesystem::path directory, std::vector<Chore> chores = {});
  /// Finishes the index it is at.
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

 private:
  void run();
  void index_sealed(std::uint64_t sealed);
  void index_open(std::uint64_t segment);
  void compress_sealed(std::uint64_t sealed);

  std::filesystem::path directory_;
  std::vector<Chore> chores_;
  std::uint64_t indexed_ = 0;     ///< Segments 1 to this have their index, or cannot have one.
  IndexedParts open_;             ///< Of the segment in use.
  std::uint64_t compressed_ = 0;  ///< Segments 1 to this are, or cannot be until the next start.
  std::mutex mutex_;
  std::condition_variable stop_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;  ///< Last: it uses all of the above.
};

}  // namespace sluice::audit
