// The store of requests in a file of this host.
#include <fmt/format.h>

#include <utility>

#include "control/approvals/store.h"
#include "control/sqlite_file.h"

namespace sluice::control {
namespace {

StoredRequest row_of(const Statement& row) {
  return {row.text(0), row.text(1), WallTime{row.number(2)}, row.text(3)};
}

class SqliteStore final : public RequestStore {
 public:
  explicit SqliteStore(SqliteFile file) : file_(std::move(file)) {}

  Result<void> put(std::span<const StoredRequest> requests) override {
    if (auto begun = file_.run("BEGIN IMMEDIATE"); !begun) return begun;
    Statement put(file_.get(),
                  "INSERT OR REPLACE INTO requests (id, state, since_ns, document) "
                  "VALUES (?1, ?2, ?3, ?4)");
    for (const StoredRequest& request : requests) {
      put.bind(1, request.id);
      put.bind(2, request.state);
      put.bind(3, request.since.ns);
      put.bind(4, request.document);
      if (put.step() != SQLITE_DONE) {
        auto why = file_.failure();
        static_cast<void>(file_.run("ROLLBACK"));
        return why;
      }
      put.reset();
    }
    auto done = file_.run("COMMIT");
    if (!done) static_cast<void>(file_.run("ROLLBACK"));
    return done;
  }

  Result<std::optional<StoredRequest>> find(std::string_view id) override {
    Statement query(file_.get(),
                    "SELECT id, state, since_ns, document FROM requests WHERE id = ?1");
    query.bind(1, id);
    const int found = query.step();
    if (found == SQLITE_ROW) return row_of(query);
    if (found == SQLITE_DONE) return std::optional<StoredRequest>();
    return file_.failure();
  }

  Result<std::vector<StoredRequest>> list(std::string_view state, std::size_t max) override {
    Statement query(file_.get(),
                    "SELECT id, state, since_ns, document FROM requests "
                    "WHERE ?1 = '' OR state = ?1 ORDER BY since_ns DESC LIMIT ?2");
    query.bind(1, state);
    query.bind(2, static_cast<std::int64_t>(max));
    std::vector<StoredRequest> out;
    int found = query.step();
    for (; found == SQLITE_ROW; found = query.step()) out.push_back(row_of(query));
    if (found != SQLITE_DONE) return file_.failure();
    return out;
  }

  Result<void> prune(std::span<const std::string_view> open_states, std::size_t kept_max) override {
    std::string names;  // As a list of JSON; states are words.
    for (const std::string_view state : open_states) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ",", state);
    }
    Statement remove(file_.get(),
                     "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE state NOT IN "
                     "(SELECT value FROM json_each(?1)) ORDER BY since_ns DESC LIMIT -1 OFFSET "
                     "?2)");
    remove.bind(1, fmt::format("[{}]", names));
    remove.bind(2, static_cast<std::int64_t>(kept_max));
    if (remove.step() != SQLITE_DONE) return file_.failure();
    return {};
  }

 private:
  SqliteFile file_;
};

}  // namespace

Result<std::unique_ptr<RequestStore>> open_sqlite_store(const std::string& path) {
  auto file = SqliteFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return std::unique_ptr<RequestStore>(std::make_unique<SqliteStore>(std::move(*file)));
}

}  // namespace sluice::control
