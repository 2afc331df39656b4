// What an SQL text does: which statements it holds, what they read, write, define
// and call, and where the columns they return come from. Off the hot path; it
// knows no catalog, so names are as the text has them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/lexer.h"
#include "sql/statement_class.h"

namespace sluice::sql {

/// A relation as written, case folded: without a schema, search_path decides.
struct RelationName {
  std::string schema;
  std::string name;
  friend auto operator<=>(const RelationName&, const RelationName&) = default;
};

struct RelationUse {
  RelationName relation;
  bool is_read = false;
  bool is_written = false;
  bool is_defined = false;  ///< Created, altered, dropped, locked, granted, maintained.
  friend auto operator<=>(const RelationUse&, const RelationUse&) = default;
};

struct FunctionName {
  std::string schema;
  std::string name;
  friend auto operator<=>(const FunctionName&, const FunctionName&) = default;
};

/// A column of a relation. `t.f` may also call the function f on the whole row, where
/// t has no column f: who knows the catalog must then take it for every column.
struct Column {
  RelationName relation;  ///< No name: no relation of the text can have it.
  std::string column;     ///< "*": any or all of the relation's columns.
  /// Not certain: a name without its relation, of which several may have the column.
  bool is_certain = true;
  friend auto operator<=>(const Column&, const Column&) = default;
};

struct ColumnUse {
  Column column;
  bool is_read = false;
  bool is_written = false;
  /// Read by the RETURNING of the statement itself and by nothing else in it: what is read
  /// goes nowhere but into the result.
  bool is_only_returned = false;
  friend auto operator<=>(const ColumnUse&, const ColumnUse&) = default;
};

/// Where one column of a result comes from. What only decides which rows come
/// (WHERE, ORDER BY, GROUP BY, FILTER) is read, but is no origin.
struct OutputColumn {
  std::string name{};
  /// The value is that of an origin, unchanged; else it is computed from them. Through
  /// UNION and VALUES a direct column has several origins and the server names none.
  bool is_direct = false;
  /// Stands for any number of columns, of these origins.
  bool is_star = false;
  std::vector<Column> origins{};  ///< Sorted. Empty: computed from no column.
  friend auto operator<=>(const OutputColumn&, const OutputColumn&) = default;
};

/// SET, RESET or set_config().
struct Setting {
  std::string name{};                  ///< Lower case; empty: any (RESET ALL, or not a constant).
  std::optional<std::string> value{};  ///< Nothing: reset to the default, or not known.
  bool is_local = false;               ///< For certain: it ends with the transaction.
  bool is_known = true;                ///< False where an expression decides about name or value.
  friend auto operator<=>(const Setting&, const Setting&) = default;
};

enum class TransactionStep : std::uint8_t {
  none,
  begin,
  commit,
  rollback,
  savepoint,
  release,
  rollback_to,
  prepare,
  commit_prepared,
  rollback_prepared,
};

struct Copy {
  bool is_in = false;                                        ///< FROM
  bool is_program = false;                                   ///< Through a program on the server.
  bool is_file = false;                                      ///< A file on the server.
  std::vector<std::pair<std::string, std::string>> options;  ///< As written, names in lower case.
  friend auto operator<=>(const Copy&, const Copy&) = default;
};

struct Statement {
  StatementClass kind = StatementClass::other;
  ClassSet classes;        ///< With those of what it holds: CTEs, EXPLAIN ANALYZE, PREPARE, …
  std::size_t offset = 0;  ///< Where it begins in the text, and how long it is, in bytes.
  std::size_t size = 0;

  std::vector<RelationUse> relations;   ///< Sorted, each once.
  std::vector<ColumnUse> columns;       ///< Sorted, each once.
  std::vector<FunctionName> functions;  ///< Sorted, each once. Operators and casts are not there.
  bool returns_rows = false;
  std::vector<OutputColumn> output;  ///< Also of COPY … TO.

  /// It runs what the analysis cannot see; why.
  std::string opaque_because;
  [[nodiscard]] bool is_opaque() const noexcept { return !opaque_because.empty(); }

  /// An UPDATE or DELETE in it cannot tell rows apart: no WHERE, or one without a
  /// column, or one that is true of every row on the face of it (a = a).
  bool without_where = false;
  std::optional<std::int64_t> row_limit;  ///< LIMIT, of the outermost query, or FETCH's count.

  bool is_temporary = false;  ///< Names what is made for, or lives in, one session alone.
  bool is_held = false;       ///< A cursor WITH HOLD: it outlives its transaction.

  std::vector<Setting> settings;
  TransactionStep transaction = TransactionStep::none;
  bool is_chained = false;  ///< AND CHAIN: a new transaction begins at once.
  std::optional<Copy> copy;
  /// Of the prepared statement, cursor, savepoint or channel; empty with DEALLOCATE ALL,
  /// CLOSE ALL and UNLISTEN *.
  std::string name;
  std::vector<Statement> inner;  ///< PREPARE's, DECLARE's or EXPLAIN's statement.
};

struct Analysis {
  std::vector<Statement> statements;
  /// Some constant of the text decided about an answer: only the text as it is stands
  /// for the analysis. `row_limit` does not count.
  bool literals_matter = false;
};

struct AnalysisLimits {
  std::size_t text_bytes_max = std::size_t{1} << 20;
  std::size_t tokens_max =
      250'000;                    ///< What an assignment to several columns repeats counts often.
  std::size_t nesting_max = 500;  ///< Brackets within brackets.
  std::size_t depth_max = 2'000;  ///< Words and operators that make an expression deeper.
};

/// errors  what PostgreSQL 15's own parser says, with the byte's position, or which
///         limit the text exceeds. Never a guess.
/// differs  A construct that the analysis does not know makes its statement opaque.
Result<Analysis> analyse(std::string_view text, LexerOptions options = {},
                         const AnalysisLimits& limits = {});

}  // namespace sluice::sql
