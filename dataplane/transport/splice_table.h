// The pipes through which the kernel moves bytes from one socket to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sluice::dataplane {

/// One relay under way: socket, pipe, socket.
struct Splice {
  std::uint32_t from = 0;  ///< Connections, by index.
  std::uint32_t to = 0;
  int from_fd = -1;
  int to_fd = -1;
  int pipe_in = -1;
  int pipe_out = -1;
  std::uint64_t left_bytes = 0;  ///< Still to be taken from the one socket.
  std::size_t held_bytes = 0;    ///< In the pipe.
  bool in_use = false;
  bool begun = false;  ///< Bytes may be in it: nothing else may overtake them.

  /// Takes what the one socket has and the pipe has room for, or gives the pipe's bytes
  /// to the other: how many bytes moved, or a negative errno. `fill` gives 0 at the
  /// stream's end, and waits unless the socket is readable.
  [[nodiscard]] std::int64_t fill() noexcept;
  [[nodiscard]] std::int64_t drain() noexcept;
};

/// A worker's splices, as many at once as was said at the start. A pipe is opened when it
/// is first needed, and then kept.
class SpliceTable {
 public:
  using Index = std::uint16_t;
  static constexpr Index none = 0xFFFF;

  explicit SpliceTable(Index splices_max);
  SpliceTable(const SpliceTable&) = delete;
  SpliceTable& operator=(const SpliceTable&) = delete;
  ~SpliceTable();

  [[nodiscard]] std::size_t free_count() const noexcept { return free_.size(); }
  /// `none` when all are in use, or no pipe can be had.
  [[nodiscard]] Index take() noexcept;
  /// What its pipe still holds is lost.
  void give_back(Index index) noexcept;
  /// There is no use for them: none is free from now on.
  void disable() noexcept;
  [[nodiscard]] Splice& operator[](Index index) noexcept { return splices_[index]; }

 private:
  std::vector<Splice> splices_;
  std::vector<Index> free_;  ///< Last used, first taken.
  bool is_disabled_ = false;
};

}  // namespace sluice::dataplane
