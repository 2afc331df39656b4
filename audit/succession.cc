#include "audit/succession.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "audit/directory_lock.h"
#include "audit/file.h"
#include "audit/legal_holds.h"
#include "audit/segment.h"
#include "audit/segment_log.h"
#include "audit/verify.h"
#include "base/timestamp.h"

namespace sluice::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t reason_bytes_max = 1000;

Result<void> check_reason(const std::string& reason) {
  const bool is_plain = std::none_of(reason.begin(), reason.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7F;
  });
  if (reason.empty() || reason.size() > reason_bytes_max || !is_plain) {
    return fail(fmt::format("a reason is one line of at most {} bytes", reason_bytes_max));
  }
  return {};
}

Result<bool> has_rings(const fs::path& directory) {
  std::error_code error;
  fs::directory_iterator files(directory, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    if (files->path().filename().string().starts_with("ring-")) return true;
  }
  if (error) return fail(fmt::format("cannot read {}: {}", directory.string(), error.message()));
  return false;
}

/// What the log's own key says of it, in one line.
std::string condition_of(const Result<VerifyReport>& report) {
  if (!report) return "it cannot be read: " + report.error().message;
  if (!report->ok) return fmt::format("it does not add up: {} at {}", report->fault, report->where);
  return fmt::format("it adds up: {} records, root {}", report->records, report->root_hex);
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

std::string compact(std::string time) {
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return time;
}

/// A directory that is gone again unless it is kept.
class NewDirectory {
 public:
  static Result<NewDirectory> make(const fs::path& path, const fs::path& like) {
    std::error_code error;
    const bool is_made = fs::create_directory(path, like, error);  // with its permissions
    if (error) return fail(fmt::format("cannot make {}: {}", path.string(), error.message()));
    if (!is_made) return fail(fmt::format("{} is there already", path.string()));
    return NewDirectory(path);
  }
  ~NewDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  NewDirectory(NewDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  NewDirectory& operator=(NewDirectory&&) = delete;

  void keep() noexcept { path_.clear(); }

 private:
  explicit NewDirectory(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// The gateway may run as another user than the operator.
Result<void> give_owner_of(const fs::path& like, const fs::path& path) {
  struct ::stat info {};
  if (::stat(like.c_str(), &info) != 0 || ::chown(path.c_str(), info.st_uid, info.st_gid) != 0) {
    return fail(fmt::format("cannot give {} its owner: {}", path.string(), std::strerror(errno)));
  }
  return {};
}

std::string text_of(const Predecessor& before) {
  return fmt::format("{}\n{}\n{}\n\n{}", before.place, before.condition, before.reason,
                     before.checkpoint);
}

}  // namespace

Result<Predecessor> begin_epoch(const fs::path& given, const Verifier& next,
                                const std::string& reason, WallTime now) {
  if (auto good = check_reason(reason); !good) return tl::unexpected(good.error());
  // A link to it goes on leading there.
  std::error_code missing;
  const fs::path directory = fs::canonical(given, missing);
  if (missing) return fail(fmt::format("there is no log in {}", given.string()));
  const auto line = read_small_file(directory / verifier_name);
  if (!line) return tl::unexpected(line.error());
  if (!*line) return fail(fmt::format("there is no log in {}", directory.string()));
  const auto before_key = Verifier::parse((*line)->substr(0, (*line)->find('\n')));
  if (before_key && before_key->origin() == next.origin()) {
    return fail(fmt::format(
        "the log in {} has the origin {} already, and under one origin there are no two logs; make "
        "a key of another with `sluice key signing`, and name it in audit.signing_key",
        directory.string(), next.origin()));
  }
  const auto lock = DirectoryLock::take(directory);
  if (!lock) return tl::unexpected(lock.error());

  const auto report = verify(directory, {});
  const auto rings = has_rings(directory);
  if (!rings) return tl::unexpected(rings.error());
  if (report && report->ok && *rings) {
    return fail(
        "the log adds up, and a killed gateway left rings with records that are perhaps not in it: "
        "start the gateway once more with the old key, and stop it; if it does not start, put the "
        "files ring-* elsewhere, and keep them");
  }
  const auto checkpoint = read_small_file(directory / checkpoint_name);
  Predecessor before;
  before.place = directory.filename().string() + ".until-" + compact(timestamp_text(now, 3));
  before.condition = one_line(condition_of(report)) + (*rings ? "; rings lie with it" : "");
  before.reason = reason;
  if (checkpoint && *checkpoint) before.checkpoint = **checkpoint;

  const fs::path aside = directory.parent_path() / before.place;
  auto made = NewDirectory::make(aside, directory);
  if (!made) return tl::unexpected(made.error());
  const auto put = [&](std::string_view name, std::string_view content) -> Result<void> {
    if (auto done = replace_file(real_disk(), aside / name, content); !done) return done;
    return give_owner_of(directory, aside / name);
  };
  if (auto done = put(predecessor_name, text_of(before)); !done) {
    return tl::unexpected(done.error());
  }
  // As they lie, readable or not: they are in force on until somebody releases them.
  const auto holds = read_small_file(directory / legal_holds_name);
  if (!holds) return tl::unexpected(holds.error());
  if (*holds) {
    if (auto done = put(legal_holds_name, **holds); !done) return tl::unexpected(done.error());
  }
  if (auto done = give_owner_of(directory, aside); !done) return tl::unexpected(done.error());
  if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, directory.c_str(), RENAME_EXCHANGE) != 0) {
    return fail(fmt::format("cannot put {} aside: {}", directory.string(), std::strerror(errno)));
  }
  made->keep();
  if (auto synced = real_disk().sync_directory(directory.parent_path()); !synced) {
    return tl::unexpected(synced.error());
  }
  return before;
}

Result<std::optional<Predecessor>> predecessor_of(const fs::path& directory) {
  const auto text = read_small_file(directory / predecessor_name);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::optional<Predecessor>{};
  Predecessor before;
  std::string_view rest = **text;
  for (std::string* const line : {&before.place, &before.condition, &before.reason}) {
    const std::size_t end = rest.find('\n');
    if (end == 0 || end == std::string_view::npos) {
      return fail(fmt::format("{} cannot be read", (directory / predecessor_name).string()));
    }
    *line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  if (!rest.starts_with('\n')) {
    return fail(fmt::format("{} cannot be read", (directory / predecessor_name).string()));
  }
  before.checkpoint = rest.substr(1);
  return before;
}

}  // namespace sluice::audit
