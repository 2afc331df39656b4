#include "cli/tunnel/place.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/sha256.h"
#include "base/bytes.h"

namespace sluice::cli::tunnel {
namespace {

constexpr std::uint32_t first_port = 20'000;
constexpr std::uint32_t ports = 10'000;

bool is_plain(char c) noexcept {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') ||
         std::string_view("@%+:,./_-").find(c) != std::string_view::npos;
}

/// POSIX, "Shell Command Language" §2.2.2.
std::string quoted(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + '\'';
}

}  // namespace

std::uint16_t usual_port(std::string_view gateway_host, std::string_view target) {
  const std::string both = fmt::format("{}\n{}", gateway_host, target);
  const audit::Hash digest = audit::sha256(as_bytes(both));
  const std::uint32_t number = std::uint32_t{digest[0]} << 24 | std::uint32_t{digest[1]} << 16 |
                               std::uint32_t{digest[2]} << 8 | std::uint32_t{digest[3]};
  return static_cast<std::uint16_t>(first_port + number % ports);
}

std::string command_line(config::Protocol protocol, std::uint16_t port, std::string_view user,
                         std::string_view database) {
  if (protocol == config::Protocol::http) return fmt::format("curl http://127.0.0.1:{}/", port);
  std::string out = fmt::format("psql -h 127.0.0.1 -p {}", port);
  // A word that begins with a dash is a value all the same.
  if (!user.empty()) out += " -U " + quoted(user);
  if (!database.empty()) out += " -d " + quoted(database);
  return out;
}

}  // namespace sluice::cli::tunnel
