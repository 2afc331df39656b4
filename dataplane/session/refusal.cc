#include "dataplane/session/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "parsers/http1/encoder.h"

namespace sluice::dataplane {
namespace {

constexpr std::size_t body_bytes_max = 4 * 1024;
constexpr std::size_t member_bytes_max = 1024;
constexpr std::size_t request_name_bytes_max = 16;

/// A bounded text; what does not fit is left out whole.
class Body {
 public:
  void append(std::string_view text) noexcept {
    if (text.size() > room_.size() - size_) return;
    std::memcpy(room_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  /// ,"name":"value" with the value escaped; nothing when it is empty.
  void member(std::string_view name, std::string_view value) noexcept {
    if (value.empty()) return;
    append(",\"");
    append(name);
    append("\":\"");
    for (const char c : value.substr(0, member_bytes_max)) escape(c);
    append("\"");
  }
  [[nodiscard]] std::string_view text() const noexcept { return {room_.data(), size_}; }

 private:
  void escape(char c) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      const char escaped[] = {'\\', c};
      append({escaped, 2});
    } else if (byte < 0x20) {
      const char escaped[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
      append({escaped, 6});
    } else {
      append({&c, 1});
    }
  }

  std::array<char, body_bytes_max> room_;
  std::size_t size_ = 0;
};

}  // namespace

bool write_refusal(WorkerContext& worker, SliceQueue& out, const Refusal& refusal) noexcept {
  Body body;
  std::array<char, 64> status_text{};
  const auto status_end =
      fmt::format_to_n(status_text.data(), status_text.size(), "\",\"status\":{}", refusal.status);
  body.append(R"({"type":"about:blank","title":")");
  body.append(http1::reason_phrase(refusal.status));
  body.append({status_text.data(), status_end.size});
  body.member("detail", refusal.detail);
  body.member("rule", refusal.rule);
  body.member("request", refusal.request);
  body.member("state", refusal.state);
  body.member("record", refusal.record);
  body.append("}\n");

  const BufferId buffer = worker.pool.take();
  if (buffer == no_buffer) return false;
  std::uint8_t* const begin = worker.pool.data(buffer);
  http1::HeadWriter head({begin, buffer_data_bytes_max - body_bytes_max});
  head.status_line(refusal.status, http1::reason_phrase(refusal.status));
  head.field("Content-Type",
             refusal.status < 400 ? "application/json" : "application/problem+json");
  head.field("Content-Length", body.text().size());
  head.field("Cache-Control", "no-store");
  if (refusal.status == 401) head.field("WWW-Authenticate", "Bearer realm=\"sluice\"");
  if (refusal.status == 503 || refusal.status == 202) head.field("Retry-After", "1");
  if (refusal.status == 202) {
    std::array<char, requests_path.size() + request_name_bytes_max> location{};
    const auto end =
        fmt::format_to_n(location.data(), location.size(), "{}{}", requests_path, refusal.request);
    head.field("Location", {location.data(), std::min(end.size, location.size())});
  }
  if (refusal.close) head.field("Connection", "close");
  head.finish();

  std::size_t size = head.written().size();
  if (!refusal.is_head_request) {
    std::memcpy(begin + size, body.text().data(), body.text().size());
    size += body.text().size();
  }
  out.push(worker.pool, buffer, {begin, size});
  worker.pool.release(buffer);
  return true;
}

}  // namespace sluice::dataplane
