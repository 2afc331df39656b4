// Recordings, as whoever wires the program gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"

namespace sluice::control::api {

struct RecordingView {
  std::string name = {};
  bool is_open = false;  ///< It is being made.
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
  std::optional<WallTime> first = {};  ///< Of its items; nothing: it has no chunk yet.
  std::optional<WallTime> last = {};
};

struct ChunkView {
  std::uint64_t chunk = 0;  ///< From 1.
  std::uint64_t bytes = 0;
  WallTime first = {};
  WallTime last = {};
};

struct RecordingDetail {
  RecordingView recording = {};
  std::vector<ChunkView> chunks = {};  ///< All of them, in order.
};

/// What to look for.
struct RecordingsQuery {
  std::string after = {};  ///< The `next` of the page before; empty: from the beginning.
  std::size_t limit = 0;
  std::optional<WallTime> from = {};   ///< Something of it is of then or later.
  std::optional<WallTime> until = {};  ///< Something of it is of before then.
};

struct RecordingsPage {
  std::vector<RecordingView> recordings = {};
  std::string next = {};  ///< Empty: there are no more.
};

/// What went with a recording.
struct RemovedRecording {
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
};

}  // namespace sluice::control::api
