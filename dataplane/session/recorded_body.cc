#include "dataplane/session/recorded_body.h"

namespace sluice::dataplane {

void RecordedBody::start(const matcher::MaskProgram& program, const matcher::RuleSet& rules,
                         matcher::BodyKind kind) {
  masker_.start(program, rules, kind);
  pending_.clear();
  is_kept_ = true;
}

void RecordedBody::add(ByteView bytes, bool last, matcher::Scratch& scratch, SessionRecording& to,
                       std::uint64_t operation) {
  if (!is_kept_) return;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  // An empty body is of no media type.
  while (!pending_.empty()) {
    const std::size_t size = pending_.size();
    pending_.resize(size + readable_tail_bytes);
    const matcher::MaskStep step = masker_.mask(ByteSpan(pending_).first(size), last, scratch);
    pending_.resize(size);
    if (step.is_malformed) return leave_out();
    const ByteView settled = ByteView(pending_).first(step.settled_bytes);
    if (!settled.empty()) {
      to.add(recordings::ItemKind::request_body, operation, edited(settled, step.edits, masked_));
    }
    pending_.erase(pending_.begin(),
                   pending_.begin() + static_cast<std::ptrdiff_t>(step.settled_bytes));
    if (!step.is_full) return;
  }
}

ByteView edited(ByteView bytes, std::span<const matcher::Edit> edits,
                std::vector<std::uint8_t>& room) {
  if (edits.empty()) return bytes;
  room.clear();
  std::size_t done = 0;
  const auto append = [&room](ByteView part) { room.insert(room.end(), part.begin(), part.end()); };
  for (const matcher::Edit& edit : edits) {
    append(bytes.subspan(done, edit.offset - done));
    append(as_bytes(edit.text));
    done = edit.offset + edit.size_bytes;
  }
  append(bytes.subspan(done));
  return room;
}

}  // namespace sluice::dataplane
