#include "control/revocations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "audit/segment.h"
#include "audit/segment_log.h"
#include "base/ascii.h"
#include "identity/gateway_tokens.h"

namespace sluice::control {
namespace {

constexpr std::string_view magic = "sluice-revoked-tokens1\n";
constexpr std::size_t id_chars = 22;

/// "ID NANOSECONDS" and the line's end, taken off.
std::optional<std::pair<std::string, WallTime>> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos || end < id_chars + 2 || text[id_chars] != ' ') return std::nullopt;
  const std::string_view id = text.substr(0, id_chars);
  const std::string_view number = text.substr(id_chars + 1, end - id_chars - 1);
  WallTime until;
  const auto [stop, fault] =
      std::from_chars(number.data(), number.data() + number.size(), until.ns);
  const bool is_good =
      is_token_id(id) && fault == std::errc{} && stop == number.data() + number.size();
  if (!is_good) return std::nullopt;
  text.remove_prefix(end + 1);
  return std::pair(std::string(id), until);
}

}  // namespace

bool is_token_id(std::string_view text) noexcept {
  return text.size() == id_chars && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_';
         });
}

Result<Revocations> Revocations::read(const std::string& path) {
  const auto content = audit::read_small_file(path);
  if (!content) return tl::unexpected(content.error());
  Revocations out(path);
  if (!*content) return out;
  std::string_view text = **content;
  const auto bad = fail(fmt::format("{} is no list of revoked tokens", path));
  if (!text.starts_with(magic)) return bad;
  text.remove_prefix(magic.size());
  while (!text.empty()) {
    auto line = take_line(text);
    if (!line || out.until_.size() == revocations_max) return bad;
    out.until_.insert(std::move(*line));
  }
  return out;
}

Result<void> Revocations::add(const std::string& id, WallTime now) {
  auto next = until_;
  std::erase_if(next, [now](const auto& one) { return one.second <= now; });
  // Minted this moment it could last so long.
  next[id] = now + identity::gateway_token_lifetime_max + identity::gateway_clock_skew;
  if (next.size() > revocations_max) {
    return fail(fmt::format("{} tokens are revoked already: replace the key that signs them",
                            revocations_max));
  }
  std::string text(magic);
  for (const auto& [one, until] : next) text += fmt::format("{} {}\n", one, until.ns);
  if (auto done = audit::replace_file(audit::real_disk(), path_, text); !done) return done;
  until_ = std::move(next);
  return {};
}

std::shared_ptr<const identity::RevokedTokens> Revocations::ids() const {
  auto ids = std::make_shared<identity::RevokedTokens>();
  for (const auto& [id, until] : until_) ids->insert(id);
  return ids;
}

}  // namespace sluice::control
