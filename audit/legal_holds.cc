#include "audit/legal_holds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "audit/segment.h"
#include "audit/segment_log.h"
#include "audit/utf8.h"
#include "base/timestamp.h"

namespace sluice::audit {
namespace {

constexpr std::string_view magic = "sluice-legal-holds1";

/// The number that `text` begins with, and the blank or line's end behind it, taken off.
std::optional<std::uint64_t> take_number(std::string_view& text, char behind) {
  std::uint64_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (bad != std::errc{} || used == text.size() || text[used] != behind) return std::nullopt;
  text.remove_prefix(used + 1);
  return value;
}

std::optional<LegalHold> take_hold(std::string_view& text) {
  const auto id = take_number(text, ' ');
  const auto from = id ? take_number(text, ' ') : std::nullopt;
  const auto until = from ? take_number(text, ' ') : std::nullopt;
  const std::size_t end = text.find('\n');
  if (!until || end == text.npos) return std::nullopt;
  LegalHold hold{*id, *from, *until, std::string(text.substr(0, end))};
  text.remove_prefix(end + 1);
  return hold;
}

std::string time_text(std::uint64_t ns) {
  return timestamp_text({static_cast<std::int64_t>(ns)});
}

std::string text_of(const LegalHolds& holds) {
  std::string text = fmt::format("{}\n{}\n", magic, holds.next_id);
  for (const LegalHold& hold : holds.list) {
    text += fmt::format("{} {} {} {}\n", hold.id, hold.from_ns, hold.until_ns, hold.reason);
  }
  return text;
}

}  // namespace

bool is_reason(std::string_view text) noexcept {
  const auto is_visible = [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
  };
  return !text.empty() && text.size() <= legal_hold_reason_bytes_max && is_utf8(text) &&
         std::ranges::all_of(text, is_visible);
}

std::string text_of(const LegalHold& hold, std::string_view by) {
  const LegalHold unbounded;
  return fmt::format(
      "legal hold {} by {}, from {} until {}: {}", hold.id, by,
      hold.from_ns == unbounded.from_ns ? "the log's beginning" : time_text(hold.from_ns),
      hold.until_ns == unbounded.until_ns ? "further notice" : time_text(hold.until_ns),
      hold.reason);
}

Result<LegalHolds> read_legal_holds(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / legal_holds_name;
  const auto content = read_small_file(path);
  if (!content) return tl::unexpected(content.error());
  if (!*content) return LegalHolds{};
  std::string_view text = **content;
  const auto bad = fail(path.string() + " is no file of legal holds");
  if (!text.starts_with(magic)) return bad;
  text.remove_prefix(magic.size());
  if (!text.starts_with('\n')) return bad;
  text.remove_prefix(1);
  LegalHolds holds;
  const auto next = take_number(text, '\n');
  if (!next) return bad;
  holds.next_id = *next;
  while (!text.empty()) {
    auto hold = take_hold(text);
    if (!hold || hold->id >= holds.next_id || hold->reason.size() > legal_hold_reason_bytes_max ||
        holds.list.size() == legal_holds_max) {
      return bad;
    }
    holds.list.push_back(std::move(*hold));
  }
  return holds;
}

Result<void> write_legal_holds(Disk& disk, const std::filesystem::path& directory,
                               const LegalHolds& holds) {
  return replace_file(disk, directory / legal_holds_name, text_of(holds));
}

}  // namespace sluice::audit
