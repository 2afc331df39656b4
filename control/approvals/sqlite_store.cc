// The store in a file of this host: SQLite with a write-ahead log.
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <utility>

#include "control/approvals/store.h"
#include "control/descriptor.h"
#include "control/socket.h"

namespace sluice::control {
namespace {

/// Each brings the store from the version of its place to the next.
constexpr std::array<const char*, 1> migrations{
    "CREATE TABLE requests ("
    "  id TEXT PRIMARY KEY, state TEXT NOT NULL, since_ns INTEGER NOT NULL,"
    "  document TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX requests_by_age ON requests (since_ns);"
    "CREATE INDEX requests_by_state ON requests (state, since_ns);"};

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

/// One statement with its values. Faults are kept until it is stepped.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view text) {
    sqlite3_stmt* made = nullptr;
    fault_ =
        sqlite3_prepare_v2(database, text.data(), static_cast<int>(text.size()), &made, nullptr);
    statement_.reset(made);
  }

  void bind(int place, std::string_view text) {
    if (fault_ != SQLITE_OK) return;
    // A null pointer would be NULL, which equals nothing.
    const char* const begin = text.data() == nullptr ? "" : text.data();
    fault_ = sqlite3_bind_text(statement_.get(), place, begin, static_cast<int>(text.size()),
                               SQLITE_TRANSIENT);
  }
  void bind(int place, std::int64_t number) {
    if (fault_ == SQLITE_OK) fault_ = sqlite3_bind_int64(statement_.get(), place, number);
  }
  /// SQLITE_ROW, SQLITE_DONE, or what went wrong.
  int step() { return fault_ == SQLITE_OK ? sqlite3_step(statement_.get()) : fault_; }
  void reset() { sqlite3_reset(statement_.get()); }

  [[nodiscard]] std::string text(int column) const {
    const auto* const begin = sqlite3_column_text(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return begin == nullptr
               ? std::string()
               : std::string(reinterpret_cast<const char*>(begin), static_cast<std::size_t>(size));
  }
  [[nodiscard]] std::int64_t number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }

 private:
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
  int fault_ = SQLITE_OK;
};

StoredRequest row_of(const Statement& row) {
  return {row.text(0), row.text(1), WallTime{row.number(2)}, row.text(3)};
}

class SqliteStore final : public RequestStore {
 public:
  SqliteStore(Database database, std::string path)
      : database_(std::move(database)), path_(std::move(path)) {}

  Result<void> prepare() {
    // FULL: what was decided survives the loss of power, too.
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

  Result<void> put(std::span<const StoredRequest> requests) override {
    if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    Statement put(database_.get(),
                  "INSERT OR REPLACE INTO requests (id, state, since_ns, document) "
                  "VALUES (?1, ?2, ?3, ?4)");
    for (const StoredRequest& request : requests) {
      put.bind(1, request.id);
      put.bind(2, request.state);
      put.bind(3, request.since.ns);
      put.bind(4, request.document);
      if (put.step() != SQLITE_DONE) {
        auto why = failure();
        static_cast<void>(run("ROLLBACK"));
        return why;
      }
      put.reset();
    }
    auto done = run("COMMIT");
    if (!done) static_cast<void>(run("ROLLBACK"));
    return done;
  }

  Result<std::optional<StoredRequest>> find(std::string_view id) override {
    Statement query(database_.get(),
                    "SELECT id, state, since_ns, document FROM requests WHERE id = ?1");
    query.bind(1, id);
    const int found = query.step();
    if (found == SQLITE_ROW) return row_of(query);
    if (found == SQLITE_DONE) return std::optional<StoredRequest>();
    return tl::unexpected(failure().error());
  }

  Result<std::vector<StoredRequest>> list(std::string_view state, std::size_t max) override {
    Statement query(database_.get(),
                    "SELECT id, state, since_ns, document FROM requests "
                    "WHERE ?1 = '' OR state = ?1 ORDER BY since_ns DESC LIMIT ?2");
    query.bind(1, state);
    query.bind(2, static_cast<std::int64_t>(max));
    std::vector<StoredRequest> out;
    int found = query.step();
    for (; found == SQLITE_ROW; found = query.step()) out.push_back(row_of(query));
    if (found != SQLITE_DONE) return tl::unexpected(failure().error());
    return out;
  }

  Result<void> prune(std::string_view open_state, std::size_t kept_max) override {
    Statement remove(database_.get(),
                     "DELETE FROM requests WHERE state <> ?1 AND id IN (SELECT id FROM requests "
                     "WHERE state <> ?1 ORDER BY since_ns DESC LIMIT -1 OFFSET ?2)");
    remove.bind(1, open_state);
    remove.bind(2, static_cast<std::int64_t>(kept_max));
    if (remove.step() != SQLITE_DONE) return failure();
    return {};
  }

 private:
  Result<void> run(const char* text) {
    if (sqlite3_exec(database_.get(), text, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return failure();
  }
  [[nodiscard]] Result<void> failure() const {
    return fail(fmt::format("{}: {}", path_, sqlite3_errmsg(database_.get())));
  }

  Database database_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<RequestStore>> open_sqlite_store(const std::string& path) {
  // Not for others to read; SQLite's own files beside it take its mode.
  const Descriptor made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made.is_open()) return fail(system_error(path, errno));
  sqlite3* opened = nullptr;
  const int fault = sqlite3_open_v2(path.c_str(), &opened,
                                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
  auto store = std::make_unique<SqliteStore>(Database(opened), path);
  if (fault != SQLITE_OK) return fail(fmt::format("{}: {}", path, sqlite3_errstr(fault)));
  if (auto ready = store->prepare(); !ready) return tl::unexpected(ready.error());
  return std::unique_ptr<RequestStore>(std::move(store));
}

}  // namespace sluice::control
