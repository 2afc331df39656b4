// What is done to sealed segments, by a thread of its own that gives way to all others.
// Nothing depends on it: searches make an index that they miss.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>

namespace sluice::audit {

class Upkeep {
 public:
  explicit Upkeep(std::filesystem::path directory);
  /// Finishes the segment it is at.
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

 private:
  void run();
  void look_after_sealed();

  std::filesystem::path directory_;
  std::uint64_t done_ = 0;  ///< Segments 1 to this have their index, or cannot have one.
  std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  std::thread thread_;  ///< Last: it uses all of the above.
};

}  // namespace sluice::audit
