#include "control/http_message.h"

#include <sys/socket.h>

#include <cerrno>

#include "control/socket.h"
#include "parsers/http1/fields.h"

namespace sluice::control {

Result<std::size_t> read_some(const Descriptor& socket, std::string& unread) {
  constexpr std::size_t step = std::size_t{16} << 10;
  const std::size_t before = unread.size();
  unread.resize(before + step);
  ssize_t got = 0;
  do {
    got = ::recv(socket.get(), unread.data() + before, step, 0);
  } while (got < 0 && errno == EINTR);
  unread.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got < 0) return fail(system_error("read", errno));
  return static_cast<std::size_t>(got);
}

Result<void> write_all(const Descriptor& socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(system_error("write", errno));
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

HttpFields copy_of(std::span<const http1::Field> fields) {
  HttpFields copy;
  copy.reserve(fields.size());
  for (const auto& field : fields) copy.emplace_back(field.name, field.value);
  return copy;
}

std::string_view field_value(const HttpFields& fields, std::string_view name) noexcept {
  for (const auto& [key, value] : fields) {
    if (http1::equal_ignoring_case(key, name)) return value;
  }
  return {};
}

}  // namespace sluice::control
