// PostgreSQL's messages for scripted peers: plain strings, no limits, no code of the
// gateway's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::dataplane::postgres_sim {

struct Message {
  char tag = 0;
  std::string body;
};

/// Fields behind one another.
class Body {
 public:
  Body& u8(unsigned value) { return number(value, 1); }
  Body& u16(unsigned value) { return number(value, 2); }
  Body& u32(std::uint32_t value) { return number(value, 4); }
  Body& text(std::string_view value) {
    bytes_ += value;
    bytes_ += '\0';
    return *this;
  }
  Body& bytes(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  /// A value with its length.
  Body& value(std::string_view value) {
    return u32(static_cast<std::uint32_t>(value.size())).bytes(value);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  Body& number(std::uint32_t value, int size) {
    for (int i = size - 1; i >= 0; --i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  std::string bytes_;
};

/// Takes fields off the front. Good input only: what is not there is empty.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t u8() { return number(1); }
  std::uint32_t u16() { return number(2); }
  std::uint32_t u32() { return number(4); }
  std::string text() {
    const std::size_t end = std::min(rest_.find('\0'), rest_.size());
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return value;
  }
  std::string bytes(std::size_t count) {
    std::string value(rest_.substr(0, count));
    rest_.remove_prefix(value.size());
    return value;
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size && !rest_.empty(); ++i) {
      value = value << 8 | static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
    }
    return value;
  }
  std::string_view rest_;
};

inline std::string bytes_of(char tag, std::string_view body) {
  return tag + Body().u32(static_cast<std::uint32_t>(body.size() + 4)).bytes(body).take();
}
inline std::string bytes_of(const Message& message) {
  return bytes_of(message.tag, message.body);
}
/// A packet as a connection begins with: without a tag.
inline std::string packet_of(std::string_view body) {
  return Body().u32(static_cast<std::uint32_t>(body.size() + 4)).bytes(body).take();
}

/// Cuts a stream into messages, or packets at its beginning.
class Cutter {
 public:
  void add(std::string_view bytes) { unread_ += bytes; }

  std::optional<std::string> next_packet() {
    const auto body = whole(0);
    if (body) drop(4 + body->size());
    return body;
  }
  std::optional<Message> next() {
    auto body = whole(1);
    if (!body) return std::nullopt;
    Message message{unread_[at_], std::move(*body)};
    drop(5 + message.body.size());
    return message;
  }
  /// What is no whole message yet.
  [[nodiscard]] std::string_view rest() const { return std::string_view(unread_).substr(at_); }

 private:
  std::optional<std::string> whole(std::size_t tag_bytes) const {
    const std::string_view rest = this->rest();
    if (rest.size() < tag_bytes + 4) return std::nullopt;
    const std::uint32_t length = Fields(rest.substr(tag_bytes)).u32();
    if (length < 4 || rest.size() < tag_bytes + length) return std::nullopt;
    return std::string(rest.substr(tag_bytes + 4, length - 4));
  }
  void drop(std::size_t count) {
    at_ += count;
    if (at_ < unread_.size() && at_ < 64 * 1024) return;
    unread_.erase(0, at_);
    at_ = 0;
  }

  std::string unread_;
  std::size_t at_ = 0;
};

/// The body of an ErrorResponse or NoticeResponse.
inline std::string report_of(std::string_view severity, std::string_view code,
                             std::string_view text) {
  Body body;
  for (const char field : {'S', 'V'}) body.bytes({&field, 1}).text(severity);
  body.bytes("C").text(code).bytes("M").text(text).u8(0);
  return body.take();
}

/// A field of an ErrorResponse or NoticeResponse.
inline std::string report_field(std::string_view body, char code) {
  Fields fields(body);
  while (!fields.empty()) {
    const auto one = static_cast<char>(fields.u8());
    if (one == 0) break;
    std::string value = fields.text();
    if (one == code) return value;
  }
  return {};
}

}  // namespace sluice::dataplane::postgres_sim
