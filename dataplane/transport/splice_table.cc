#include "dataplane/transport/splice_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sluice::dataplane {
namespace {

/// What a pipe is asked to have room for. It is counted in pages, and a page may stand for
/// more or for fewer bytes than it has; without the right to so many it stays smaller.
constexpr int pipe_bytes = 256 * 1024;

void close_pipe(Splice& splice) noexcept {
  if (splice.pipe_in < 0) return;
  ::close(std::exchange(splice.pipe_in, -1));
  ::close(std::exchange(splice.pipe_out, -1));
}

bool open_pipe(Splice& splice) noexcept {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
  splice.pipe_out = ends[0];
  splice.pipe_in = ends[1];
  ::fcntl(splice.pipe_in, F_SETPIPE_SZ, pipe_bytes);
  return true;
}

std::int64_t move(int from, int to, std::size_t size_bytes) noexcept {
  const ssize_t moved =
      ::splice(from, nullptr, to, nullptr, size_bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  return moved < 0 ? -errno : moved;
}

}  // namespace

std::int64_t Splice::fill() noexcept {
  const std::uint64_t wanted = std::min<std::uint64_t>(left_bytes, pipe_bytes);
  const std::int64_t moved = move(from_fd, pipe_in, wanted);
  if (moved > 0) {
    left_bytes -= static_cast<std::uint64_t>(moved);
    held_bytes += static_cast<std::size_t>(moved);
  }
  return moved;
}

std::int64_t Splice::drain() noexcept {
  const std::int64_t moved = move(pipe_out, to_fd, held_bytes);
  if (moved > 0) held_bytes -= static_cast<std::size_t>(moved);
  return moved;
}

SpliceTable::SpliceTable(Index splices_max) : splices_(splices_max) {
  for (Index i = splices_max; i-- > 0;) free_.push_back(i);
}

SpliceTable::~SpliceTable() {
  for (Splice& splice : splices_) close_pipe(splice);
}

SpliceTable::Index SpliceTable::take() noexcept {
  if (free_.empty()) return none;
  const Index index = free_.back();
  Splice& splice = splices_[index];
  if (splice.pipe_in < 0 && !open_pipe(splice)) return none;
  free_.pop_back();
  splice.in_use = true;
  return index;
}

void SpliceTable::give_back(Index index) noexcept {
  Splice& splice = splices_[index];
  if (splice.held_bytes != 0 || is_disabled_) close_pipe(splice);
  splice = {.pipe_in = splice.pipe_in, .pipe_out = splice.pipe_out};
  if (!is_disabled_) free_.push_back(index);  // within the capacity of the start
}

void SpliceTable::disable() noexcept {
  is_disabled_ = true;
  for (const Index index : free_) close_pipe(splices_[index]);
  free_.clear();
}

}  // namespace sluice::dataplane
