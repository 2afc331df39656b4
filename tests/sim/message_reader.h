// A plain reader of HTTP/1.1 messages for scripted peers: no limits, no code of
// the gateway's. Good input only. Bytes may come one by one: each is read once.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::dataplane {

struct PlainMessage {
  std::string start_line;
  std::string head;  ///< Everything up to the empty line.
  std::string body;

  [[nodiscard]] std::string field(std::string_view name) const {
    const std::string needle = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(needle);
    if (at == std::string::npos) return {};
    const std::size_t from = at + needle.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
  [[nodiscard]] int status() const { return std::atoi(start_line.substr(9, 3).c_str()); }
  [[nodiscard]] bool is_interim() const { return start_line.starts_with("HTTP/1.1 1"); }
};

class MessageReader {
 public:
  void add(std::string_view bytes) { unread_ += bytes; }

  /// The next message, once it is complete.
  /// has_body  false for what never has one (an answer to HEAD, 204, 304).
  /// closed    the stream has ended: close-delimited bodies are complete.
  std::optional<PlainMessage> next(bool has_body, bool is_response, bool closed) {
    if (head() == nullptr || !is_whole(has_body, is_response, closed)) return std::nullopt;
    unread_.erase(0, at_);
    at_ = 0;
    has_head_ = false;
    return std::exchange(message_, {});
  }

  /// The head of the message that next() will return; null before it is complete.
  const PlainMessage* head() {
    if (has_head_) return &message_;
    constexpr std::string_view end_mark = "\r\n\r\n";
    const std::size_t end = unread_.find(end_mark, at_);
    if (end == std::string::npos) {
      if (unread_.size() >= end_mark.size()) at_ = unread_.size() - end_mark.size() + 1;
      return nullptr;
    }
    message_.head = unread_.substr(0, end + 2);
    message_.start_line = message_.head.substr(0, message_.head.find("\r\n"));
    at_ = end + end_mark.size();
    has_head_ = true;
    return &message_;
  }

  /// Every byte, as it came, of what is no whole message yet.
  [[nodiscard]] const std::string& rest() const { return unread_; }

 private:
  bool is_whole(bool has_body, bool is_response, bool closed) {
    if (!has_body || message_.is_interim()) return true;
    if (message_.field("Transfer-Encoding") == "chunked") return takes_last_chunk();
    const std::string length = message_.field("Content-Length");
    if (length.empty() && !is_response) return true;
    const std::size_t size = length.empty() ? unread_.size() - at_ : std::stoul(length);
    if (length.empty() ? !closed : unread_.size() - at_ < size) return false;
    message_.body = unread_.substr(at_, size);
    at_ += size;
    return true;
  }

  bool takes_last_chunk() {
    for (;;) {
      const std::size_t line_end = unread_.find("\r\n", at_);
      if (line_end == std::string::npos) return false;
      std::size_t size = 0;
      std::from_chars(unread_.data() + at_, unread_.data() + line_end, size, 16);
      const std::size_t begin = line_end + 2;
      if (unread_.size() < begin + size + 2) return false;
      message_.body.append(unread_, begin, size);
      at_ = begin + size + 2;
      if (size == 0) return true;
    }
  }

  std::string unread_;
  std::size_t at_ = 0;  ///< Before it, `unread_` holds nothing that is still looked for.
  bool has_head_ = false;
  PlainMessage message_;
};

}  // namespace sluice::dataplane
