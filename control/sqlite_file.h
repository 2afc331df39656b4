// The file of this host that requests and deliveries are kept in: SQLite with a write-ahead
// log. Each of its users has a connection of its own.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::control {

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

/// A connection to the file, which is made or brought to this version first.
class SqliteFile {
 public:
  /// errors  the file cannot be opened, is no store, or was made by a newer version.
  static Result<SqliteFile> open(const std::string& path);

  [[nodiscard]] sqlite3* get() const noexcept { return database_.get(); }
  Result<void> run(const char* text);
  /// What went wrong last.
  [[nodiscard]] tl::unexpected<Error> failure() const;

 private:
  SqliteFile(Database database, std::string path)
      : database_(std::move(database)), path_(std::move(path)) {}
  Result<void> prepare();

  Database database_;
  std::string path_;
};

}  // namespace sluice::control
