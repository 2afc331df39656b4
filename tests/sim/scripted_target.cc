#include "scripted_target.h"

namespace sluice::dataplane {

void ScriptedTarget::on_bytes(SimRemote& remote, ByteView bytes) {
  reader_.add(as_text(bytes));
  const PlainMessage* head = reader_.head();
  if (head != nullptr && !continued_ && head->field("Expect") == "100-continue") {
    continued_ = true;
    remote.send(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  while (const auto message = reader_.next(true, false, false)) {
    continued_ = false;
    answer(remote, message->head, message->body);
  }
}

void ScriptedTarget::on_alarm(SimRemote& remote) {
  remote.finish();
}

void ScriptedTarget::answer(SimRemote& remote, const std::string& head, const std::string& body) {
  const std::size_t from = head.find("/op");
  const std::string id =
      from == std::string::npos
          ? ""
          : head.substr(from + 1, head.find_first_of(" /?", from + 1) - from - 1);
  const auto operation = operations_.find(id);
  if (operation == operations_.end()) {
    log_.unexpected.push_back(head);
    return remote.reset();
  }
  log_.seen.push_back({id, head, body});
  bool close = false;
  const std::string response = response_bytes(operation->second, close);
  if (is_flaky_ && !close && random_.up_to(9) == 0) {
    // Breaks off somewhere inside the answer; one that ends with the connection
    // could not be told from a whole one.
    remote.send(as_bytes(std::string_view(response).substr(0, random_.up_to(response.size() - 1))));
    return remote.finish();
  }
  remote.send(as_bytes(response));
  if (close) {
    remote.finish();
  } else if (is_flaky_ && random_.up_to(5) == 0) {
    remote.alarm(
        milliseconds(static_cast<std::int64_t>(random_.up_to(19))));  // goes while it is pooled
  }
}

}  // namespace sluice::dataplane
