#include "control/revocations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "audit/segment_log.h"
#include "base/ascii.h"
#include "config/load/load.h"
#include "config/load/schema.h"
#include "identity/api_keys.h"
#include "identity/gateway_tokens.h"

namespace sluice::control {
namespace {

constexpr std::size_t id_chars = 22;
constexpr std::string_view for_ever = "never";  // expires

bool is_key_id(std::string_view text) {
  return !config::word_fault(config::Word::name, text);
}

/// Nothing: there is no such file.
Result<std::optional<std::string>> content_of(const std::string& path) {
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown) && !unknown) return std::optional<std::string>();
  auto text = config::World::real().read_file(path);
  if (!text) return fail("cannot read " + path);
  return text;
}

std::optional<WallTime> parse_end(std::string_view text, const RevocationKind& kind) {
  if (!kind.kept) return text == for_ever ? std::optional(identity::never) : std::nullopt;
  WallTime end;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), end.ns);
  if (fault != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return end;
}

/// "ID NANOSECONDS", or "ID never", and the line's end, taken off.
std::optional<std::pair<std::string, WallTime>> take_line(std::string_view& text,
                                                          const RevocationKind& kind) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  const std::size_t space = line.find(' ');
  if (space == line.npos || !kind.is_id(line.substr(0, space))) return std::nullopt;
  const auto until = parse_end(line.substr(space + 1), kind);
  if (!until) return std::nullopt;
  text.remove_prefix(end + 1);
  return std::pair(std::string(line.substr(0, space)), *until);
}

}  // namespace

const RevocationKind revoked_tokens{
    .magic = "sluice-revoked-tokens1\n",
    .things = "tokens",
    .is_id = [](std::string_view text) { return is_token_id(text); },
    // Minted this moment it could last so long.
    .kept = Duration{identity::gateway_token_lifetime_max.ns + identity::gateway_clock_skew.ns},
    .remedy = "replace the key that signs them"};
const RevocationKind revoked_keys{
    .magic = "sluice-revoked-keys1\n",
    .things = "API keys",
    .is_id = is_key_id,
    .kept = std::nullopt,
    .remedy = "take ids out of the list that the keys file has no more"};

bool is_token_id(std::string_view text) noexcept {
  return text.size() == id_chars && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_';
         });
}

Result<Revocations> Revocations::read(const RevocationKind& kind, const std::string& path) {
  const auto content = content_of(path);
  if (!content) return tl::unexpected(content.error());
  Revocations out(kind, path);
  if (!*content) return out;
  std::string_view text = **content;
  const auto bad = fail(fmt::format("{} is no list of revoked {}", path, kind.things));
  if (!text.starts_with(kind.magic)) return bad;
  text.remove_prefix(kind.magic.size());
  while (!text.empty()) {
    auto line = take_line(text, kind);
    if (!line || out.until_.size() == revocations_max) return bad;
    out.until_.insert(std::move(*line));
  }
  return out;
}

Result<void> Revocations::add(const std::string& id, WallTime now) {
  auto next = until_;
  std::erase_if(next, [now](const auto& one) { return one.second <= now; });
  next[id] = kind_->kept ? now + *kind_->kept : identity::never;
  if (next.size() > revocations_max) {
    return fail(fmt::format("{} {} are revoked already: {}", revocations_max, kind_->things,
                            kind_->remedy));
  }
  std::string text(kind_->magic);
  for (const auto& [one, until] : next) {
    text += one;
    text += ' ';
    text += kind_->kept ? fmt::format_int(until.ns).str() : std::string(for_ever);
    text += '\n';
  }
  if (auto done = audit::replace_file(audit::real_disk(), path_, text); !done) return done;
  until_ = std::move(next);
  return {};
}

std::shared_ptr<const Revocations::Ids> Revocations::ids() const {
  auto ids = std::make_shared<Ids>();
  for (const auto& [id, until] : until_) ids->insert(id);
  return ids;
}

}  // namespace sluice::control
