#include "dataplane/session/session_recording.h"

#include "dataplane/session/worker_context.h"
#include "recordings/folder.h"

namespace sluice::dataplane {

bool SessionRecording::refuses() const noexcept {
  // Without recordings a rule that asks for them does not pass `check`.
  return worker_.recordings == nullptr ||
         worker_.recordings->state() == recordings::Intake::State::full;
}

bool SessionRecording::has_room() const noexcept {
  return !is_on() || worker_.recordings->has_room();
}

bool SessionRecording::is_on() const noexcept {
  return handle_.number != 0 && worker_.recordings->lives(handle_);
}

void SessionRecording::begin(const Who& who) {
  if (is_on() && principal_ == who.principal) return;
  end();
  if (worker_.recordings->state() == recordings::Intake::State::stopped) return;
  principal_ = who.principal;
  name_ = recordings::recording_name(worker_.log.epoch(), session_, ++parts_);
  handle_ = worker_.recordings->open({name_, std::string(who.protocol), std::string(who.listener),
                                      std::string(who.target), principal_, session_});
}

void SessionRecording::add(recordings::ItemKind kind, std::uint64_t operation, ByteView content) {
  if (!is_on()) return;
  worker_.recordings->add(handle_, {kind, worker_.now.wall.ns, operation, content});
}

void SessionRecording::end() {
  if (handle_.number == 0) return;
  worker_.recordings->close(handle_);
  handle_ = {};
}

}  // namespace sluice::dataplane
