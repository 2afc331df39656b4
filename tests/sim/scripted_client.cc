#include "scripted_client.h"

namespace sluice::dataplane {

void ScriptedClient::on_connected(SimRemote& remote) {
  if (!introduction_.empty()) remote.send(as_bytes(introduction_));
  if (manner_ == Manner::one_by_one) return send_next(remote);
  std::string all;
  for (const Operation& operation : operations_) all += request_bytes(operation, key_);
  sent_ = operations_.size();
  remote.send(as_bytes(all));
}

void ScriptedClient::on_bytes(SimRemote& remote, ByteView bytes) {
  reader_.add(as_text(bytes));
  read(remote, false);
}

void ScriptedClient::on_finished(SimRemote& remote) {
  read(remote, true);
  over_ = true;
  remote.finish();
}

void ScriptedClient::on_reset(SimRemote& /*remote*/) {
  over_ = true;
}

void ScriptedClient::send_next(SimRemote& remote) {
  if (sent_ == operations_.size()) return remote.finish();
  remote.send(as_bytes(request_bytes(operations_[sent_++], key_)));
}

void ScriptedClient::read(SimRemote& remote, bool closed) {
  while (responses_.size() < operations_.size()) {
    const Operation& operation = operations_[responses_.size()];
    auto message = reader_.next(operation.response_has_body(), true, closed);
    if (!message) return;
    if (message->is_interim()) continue;
    responses_.push_back(std::move(*message));
    if (manner_ == Manner::one_by_one) {
      send_next(remote);
    } else if (responses_.size() == operations_.size()) {
      remote.finish();
    }
  }
}

}  // namespace sluice::dataplane
