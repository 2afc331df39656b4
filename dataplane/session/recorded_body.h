// A request's body on its way into a recording: masked by every mask there is, whatever the
// target gets of it.
#pragma once

#include <vector>

#include "dataplane/session/session_recording.h"
#include "matcher/body_masker.h"

namespace sluice::dataplane {

class RecordedBody {
 public:
  void start(const matcher::MaskProgram& program, const matcher::RuleSet& rules,
             matcher::BodyKind kind);
  /// Nothing of the message's body goes into the recording.
  void leave_out() noexcept { is_kept_ = false; }
  /// The next bytes; what they settle is added.
  void add(ByteView bytes, bool last, matcher::Scratch& scratch, SessionRecording& to,
           std::uint64_t operation);

 private:
  matcher::BodyMasker masker_;
  std::vector<std::uint8_t> pending_;  ///< Not settled yet, and a readable tail.
  std::vector<std::uint8_t> masked_;
  bool is_kept_ = false;
};

/// Bytes with their edits, as they leave; lives until `room` changes.
ByteView edited(ByteView bytes, std::span<const matcher::Edit> edits,
                std::vector<std::uint8_t>& room);

}  // namespace sluice::dataplane
