#include "parsers/http1/encoder.h"

#include <array>
#include <charconv>
#include <cstring>

namespace sluice::http1 {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view crlf = "\r\n";
constexpr std::size_t decimal_digits_max = 20;  // of 64 bits

std::string_view decimal(std::uint64_t value, std::array<char, decimal_digits_max>& room) noexcept {
  const auto result = std::to_chars(room.data(), room.data() + room.size(), value);
  return {room.data(), static_cast<std::size_t>(result.ptr - room.data())};
}

}  // namespace

template <class... Parts>
void HeadWriter::append(const Parts&... parts) noexcept {
  const std::size_t total = (parts.size() + ...);
  if (overflowed_ || total > room_.size() - size_) {
    overflowed_ = true;
    return;
  }
  std::uint8_t* at = room_.data() + size_;
  const auto put = [&at](std::string_view part) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  };
  (put(parts), ...);
  size_ += total;
}

void HeadWriter::request_line(std::string_view method, std::string_view target) noexcept {
  append(method, " "sv, target, " HTTP/1.1\r\n"sv);
}

void HeadWriter::status_line(std::uint16_t status, std::string_view reason) noexcept {
  std::array<char, decimal_digits_max> room;
  // RFC 9112 §4: the second space is there even when the reason is empty.
  append("HTTP/1.1 "sv, decimal(status, room), " "sv, reason, crlf);
}

void HeadWriter::field(std::string_view name, std::string_view value) noexcept {
  append(name, ": "sv, value, crlf);
}

void HeadWriter::field(std::string_view name, std::uint64_t value) noexcept {
  std::array<char, decimal_digits_max> room;
  field(name, decimal(value, room));
}

void HeadWriter::finish() noexcept {
  append(crlf);
}

std::uint8_t* write_chunk_prefix_before(std::uint8_t* end, std::uint64_t size) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  *--end = '\n';
  *--end = '\r';
  do {
    *--end = static_cast<std::uint8_t>(digits[size & 15U]);
    size >>= 4;
  } while (size != 0);
  return end;
}

std::string_view reason_phrase(std::uint16_t status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace sluice::http1
