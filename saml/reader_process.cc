#include "saml/reader_process.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/bytes.h"
#include "saml/message.h"
#include "saml/reader.h"
#include "saml/reader_sandbox.h"

namespace sluice::saml {
namespace {

/// Until the gateway has said all. False: too much, or the socket failed.
bool receive(std::string& message) {
  message.resize(message_bytes_max + 1);
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = ::read(reader_socket, message.data() + size, message.size() - size);
    if (got < 0 || size + static_cast<std::size_t>(got) == message.size()) return false;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  message.resize(size);
  return true;
}

bool send(std::string_view message) {
  while (!message.empty()) {
    const ssize_t sent = ::write(reader_socket, message.data(), message.size());
    if (sent <= 0) return false;
    message.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// False: there is no answer.
bool serve() {
  // The terminal's and the service manager's signals are for the gateway. Without a reader of
  // the answer a write fails, and that is all.
  ::sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  std::string message;
  if (!prepare_reader() || !enter_reader_sandbox() || !receive(message)) return false;
  return send(answer(message));
}

}  // namespace

void reader_main() {
  ::prctl(PR_SET_NAME, reader_process_name);
  // Nothing is to be put in order: what there is goes with the process.
  ::_exit(serve() ? 0 : 1);
}

}  // namespace sluice::saml
