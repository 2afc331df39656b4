#include "control/sqlite_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "control/descriptor.h"
#include "control/socket.h"

namespace sluice::control {
namespace {

/// How long one connection waits while another one writes.
constexpr int busy_timeout_ms = 5'000;

/// Each brings the store from the version of its place to the next.
constexpr std::array<const char*, 2> migrations{
    "CREATE TABLE requests ("
    "  id TEXT PRIMARY KEY, state TEXT NOT NULL, since_ns INTEGER NOT NULL,"
    "  document TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX requests_by_age ON requests (since_ns);"
    "CREATE INDEX requests_by_state ON requests (state, since_ns);",
    // Names are not used twice: receivers know a delivery by its id.
    "CREATE TABLE deliveries ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, request TEXT NOT NULL,"
    "  event TEXT NOT NULL, body TEXT NOT NULL, made_ns INTEGER NOT NULL,"
    "  next_ns INTEGER NOT NULL, attempts INTEGER NOT NULL, state TEXT NOT NULL,"
    "  last_error TEXT NOT NULL) STRICT;"
    "CREATE INDEX deliveries_by_state ON deliveries (state, webhook, id);"};

}  // namespace

Result<SqliteFile> SqliteFile::open(const std::string& path) {
  // Not for others to read; SQLite's own files beside it take its mode.
  const Descriptor made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made.is_open()) return fail(system_error(path, errno));
  sqlite3* opened = nullptr;
  const int fault = sqlite3_open_v2(path.c_str(), &opened,
                                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
  SqliteFile file(Database(opened), path);
  if (fault != SQLITE_OK) return fail(fmt::format("{}: {}", path, sqlite3_errstr(fault)));
  if (auto ready = file.prepare(); !ready) return tl::unexpected(ready.error());
  return file;
}

Result<void> SqliteFile::prepare() {
  // FULL: what was decided survives the loss of power, too.
  if (sqlite3_busy_timeout(database_.get(), busy_timeout_ms) != SQLITE_OK) return failure();
  if (auto set = run("PRAGMA journal_mode = WAL"); !set) return set;
  if (auto set = run("PRAGMA synchronous = FULL"); !set) return set;
  Statement version(database_.get(), "PRAGMA user_version");
  if (version.step() != SQLITE_ROW) return failure();
  const auto found = static_cast<std::size_t>(version.number(0));
  version.reset();
  if (found > migrations.size()) {
    return fail(fmt::format("{}: made by a newer version of the gateway", path_));
  }
  for (std::size_t next = found; next < migrations.size(); ++next) {
    const std::string step = fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT",
                                         migrations[next], next + 1);
    if (auto done = run(step.c_str()); !done) return done;
  }
  return {};
}

Result<void> SqliteFile::run(const char* text) {
  if (sqlite3_exec(database_.get(), text, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return failure();
}

tl::unexpected<Error> SqliteFile::failure() const {
  return fail(fmt::format("{}: {}", path_, sqlite3_errmsg(database_.get())));
}

}  // namespace sluice::control
