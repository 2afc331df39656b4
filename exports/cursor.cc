#include "exports/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "audit/file.h"
#include "audit/segment.h"
#include "base/text_codec.h"

namespace sluice::exports {
namespace {

constexpr std::string_view magic = "sluice-export-cursor1\n";

}  // namespace

Result<std::optional<Cursor>> read_cursor(const std::filesystem::path& path) {
  const auto found = audit::read_small_file(path);
  if (!found) return fail(found.error().message);
  if (!*found) return std::optional<Cursor>();
  const std::string& text = **found;
  const auto bad = fail(fmt::format("{} is no cursor of an export", path.string()));
  if (!text.starts_with(magic) || !text.ends_with('\n')) return bad;
  const std::string_view body = std::string_view(text).substr(magic.size());
  const std::size_t blank = body.find(' ');
  if (blank == body.npos) return bad;
  Cursor cursor;
  const auto number = std::from_chars(body.data(), body.data() + blank, cursor.next);
  const auto hash = from_hex(body.substr(blank + 1, body.size() - blank - 2));
  const bool is_good = number.ec == std::errc() && number.ptr == body.data() + blank && hash &&
                       hash->size() == cursor.last.size();
  if (!is_good) return bad;
  std::ranges::copy(*hash, cursor.last.begin());
  return cursor;
}

Result<void> write_cursor(const std::filesystem::path& path, const Cursor& cursor) {
  audit::Disk& disk = audit::real_disk();
  std::filesystem::path next = path;
  next += ".new";
  std::error_code error;
  std::filesystem::remove(next, error);  // A killed gateway may have left it.
  auto file = disk.create(next);
  if (!file) return fail(file.error().message);
  const std::string text = fmt::format("{}{} {}\n", magic, cursor.next, to_hex(cursor.last));
  if (auto done = (*file)->append(as_bytes(text)); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  if (auto done = disk.rename(next, path); !done) return done;
  return disk.sync_directory(path.parent_path());
}

}  // namespace sluice::exports
