// A plain reader of HTTP/1.1 messages for scripted peers: no streaming, no
// limits, no code of the gateway's. Good input only.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::dataplane {

struct PlainMessage {
  std::string start_line;
  std::string head;  ///< Everything up to the empty line.
  std::string body;
  std::size_t size_bytes = 0;

  [[nodiscard]] std::string field(std::string_view name) const {
    const std::string needle = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(needle);
    if (at == std::string::npos) return {};
    const std::size_t from = at + needle.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
  [[nodiscard]] int status() const { return std::atoi(start_line.substr(9, 3).c_str()); }
};

/// The first message of `in`, if it is complete.
/// has_body  false for what never has one (HEAD, 1xx, 204, 304).
/// closed    the stream has ended: close-delimited bodies are complete.
inline std::optional<PlainMessage> read_message(const std::string& in, bool has_body,
                                                bool is_response, bool closed) {
  const std::size_t head_end = in.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  PlainMessage message;
  message.head = in.substr(0, head_end + 2);
  message.start_line = in.substr(0, in.find("\r\n"));
  const std::size_t begin = head_end + 4;
  message.size_bytes = begin;
  if (!has_body) return message;
  if (message.field("Transfer-Encoding") == "chunked") {
    std::size_t at = begin;
    for (;;) {
      const std::size_t line_end = in.find("\r\n", at);
      if (line_end == std::string::npos) return std::nullopt;
      std::size_t size = 0;
      std::from_chars(in.data() + at, in.data() + line_end, size, 16);
      at = line_end + 2;
      if (in.size() < at + size + 2) return std::nullopt;
      message.body += in.substr(at, size);
      at += size + 2;
      if (size == 0) break;
    }
    message.size_bytes = at;
    return message;
  }
  const std::string length = message.field("Content-Length");
  if (length.empty()) {
    if (!is_response) return message;
    if (!closed) return std::nullopt;
    message.body = in.substr(begin);
    message.size_bytes = in.size();
    return message;
  }
  const std::size_t size = std::stoul(length);
  if (in.size() < begin + size) return std::nullopt;
  message.body = in.substr(begin, size);
  message.size_bytes = begin + size;
  return message;
}

}  // namespace sluice::dataplane
