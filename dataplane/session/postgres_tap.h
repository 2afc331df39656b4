// What a client of a database is sent, for its recording: whole messages, those that say what
// came of its statements.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "dataplane/session/session_recording.h"

namespace sluice::dataplane {

/// Stands where all bytes to the client pass, behind the masks.
class PostgresTap {
 public:
  explicit PostgresTap(SessionRecording& recording) noexcept : recording_(recording) {}

  /// From here on.
  /// rest_bytes   of a message that is on its way already, and is not kept.
  void begin(std::uint64_t rest_bytes) noexcept {
    left_bytes_ = rest_bytes;
    keeps_ = false;
  }
  /// Which operation is answered now.
  void set_operation(std::uint64_t operation) noexcept { operation_ = operation; }
  /// The next bytes to the client. A message's header lies in one piece.
  void add(ByteView bytes);

 private:
  void keep(recordings::ItemKind kind, ByteView bytes);

  SessionRecording& recording_;
  std::uint64_t operation_ = 0;
  std::uint64_t left_bytes_ = 0;  ///< Of the message that the last bytes ended in.
  bool keeps_ = false;            ///< That message.
};

}  // namespace sluice::dataplane
