#include "parsers/proxy_protocol/line.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace sluice::proxy_protocol {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view unknown = "UNKNOWN";

HeaderStep malformed(Fault fault) noexcept {
  return {.kind = HeaderStep::Kind::malformed, .fault = fault};
}

/// Takes what stands before the next space off `rest`, and the space.
std::optional<std::string_view> take_word(std::string_view& rest) noexcept {
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return word;
}

bool read_host(std::string_view word, Address& out) noexcept {
  std::array<char, INET6_ADDRSTRLEN> name{};
  if (word.size() >= name.size()) return false;
  std::ranges::copy(word, name.begin());
  return ::inet_pton(out.is_v6 ? AF_INET6 : AF_INET, name.data(), out.bytes.data()) == 1;
}

bool read_port(std::string_view word, std::uint16_t& out) noexcept {
  if (word.empty() || (word.front() == '0' && word.size() > 1)) return false;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc{} && end == word.data() + word.size();
}

HeaderStep read(std::string_view line) noexcept {
  HeaderStep step{.kind = HeaderStep::Kind::header, .size_bytes = line.size() + line_end.size()};
  std::string_view rest = line.substr(line_opening.size());
  // What follows it is to be passed over, whatever it is.
  if (rest == unknown || rest.starts_with("UNKNOWN ")) return step;
  const auto family = take_word(rest);
  if (!family || (*family != "TCP4" && *family != "TCP6")) return malformed(Fault::bad_line);
  const auto source = take_word(rest);
  const auto destination = take_word(rest);
  const auto source_port = take_word(rest);
  if (!source || !destination || !source_port) return malformed(Fault::bad_line);
  step.has_addresses = true;
  step.source.is_v6 = step.destination.is_v6 = *family == "TCP6";
  if (!read_host(*source, step.source) || !read_host(*destination, step.destination) ||
      !read_port(*source_port, step.source.port) || !read_port(rest, step.destination.port)) {
    return malformed(Fault::bad_address);
  }
  return step;
}

/// The host as it is written, and how long that is.
struct HostText {
  explicit HostText(const Address& address) noexcept {
    ::inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), data.data(),
                INET6_ADDRSTRLEN);
  }
  [[nodiscard]] std::string_view view() const noexcept { return data.data(); }
  std::array<char, INET6_ADDRSTRLEN> data{};
};

}  // namespace

HeaderStep decode_line(ByteView in) noexcept {
  const std::string_view text = as_text(in.first(std::min(in.size(), line_bytes_max)));
  const std::size_t opening = std::min(text.size(), line_opening.size());
  if (text.substr(0, opening) != line_opening.substr(0, opening)) {
    return malformed(Fault::no_header);
  }
  const std::size_t end = text.find_first_of(std::string_view("\r\n\0", 3));
  if (end == std::string_view::npos) {
    return text.size() == line_bytes_max ? malformed(Fault::bad_line) : HeaderStep{};
  }
  if (text[end] != '\r') return malformed(Fault::bad_line);
  if (end + 1 == line_bytes_max) return malformed(Fault::bad_line);
  if (end + 1 == text.size()) return {};
  if (text[end + 1] != '\n') return malformed(Fault::bad_line);
  return read(text.substr(0, end));
}

std::size_t write_line(const Address& source, const Address& destination,
                       std::span<std::uint8_t, written_bytes_max> out) noexcept {
  std::size_t used = 0;
  const auto put = [&](std::string_view piece) {
    std::memcpy(out.data() + used, piece.data(), piece.size());
    used += piece.size();
  };
  const auto put_port = [&](std::uint16_t port) {
    std::array<char, 5> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), port).ptr;
    put({digits.data(), static_cast<std::size_t>(end - digits.data())});
  };
  put(line_opening);
  put(source.is_v6 ? "TCP6 " : "TCP4 ");
  put(HostText(source).view());
  put(" ");
  put(HostText(destination).view());
  put(" ");
  put_port(source.port);
  put(" ");
  put_port(destination.port);
  put(line_end);
  return used;
}

std::size_t write_unknown_line(std::span<std::uint8_t, written_bytes_max> out) noexcept {
  constexpr std::string_view line = "PROXY UNKNOWN\r\n";
  std::ranges::copy(as_bytes(line), out.begin());
  return line.size();
}

}  // namespace sluice::proxy_protocol
