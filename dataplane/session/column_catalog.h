// Which columns of a database masks are about: in the tables they name, their
// partitions and heirs, and the views that show them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/instant.h"
#include "matcher/mask_rule.h"
#include "parsers/postgres/backend.h"
#include "sql/analysis.h"

namespace sluice::dataplane {

/// One column that a mask names; each part may hold '*'.
struct ColumnMask {
  std::string schema;
  std::string relation;
  std::string column;
  std::uint8_t rule = 0;  ///< Of the mask program.
};

/// Which masks a value falls under.
struct ColumnRules {
  matcher::RuleSet rules;
  /// The value was computed from a masked one: no part of it may be shown.
  bool is_derived = false;

  void add(const ColumnRules& other) noexcept {
    rules |= other.rules;
    is_derived = is_derived || (other.is_derived && other.rules.any());
  }
};

/// A database as it was when it was asked. Immutable once it is finished.
class ColumnCatalog {
 public:
  /// What to ask the database: rows of text that add() takes.
  static std::string query(std::span<const ColumnMask> masks);
  /// False when the row is none that query() brings.
  bool add(const postgres::Values& row);
  /// All rows are there: finds what views show.
  void finish(std::span<const ColumnMask> masks);

  /// Of a result's column; 0 is a whole row. Nothing: a relation that was not there yet.
  [[nodiscard]] std::optional<ColumnRules> rules_of(postgres::Oid relation,
                                                    std::int16_t column) const;
  /// Of a column as a statement names it; of all that it could mean.
  [[nodiscard]] ColumnRules rules_of(const sql::Column& column) const;
  /// Of a column that a statement computes or passes on.
  [[nodiscard]] ColumnRules rules_of(const sql::OutputColumn& output) const;
  [[nodiscard]] matcher::RuleSet all_rules() const noexcept;

 private:
  struct Column {
    postgres::Oid relation = 0;
    std::int16_t number = 0;  ///< 0: all of the relation's.
    std::string schema;
    std::string relation_name;
    std::string name;
    ColumnRules rules;
  };
  struct View {
    postgres::Oid relation = 0;
    std::string schema;
    std::string name;
    std::string definition;
  };
  struct Root {
    std::string schema;
    std::string relation;
  };
  bool add_columns_of(const View& view);
  bool add(Column column);

  std::unordered_set<postgres::Oid> relations_;
  std::vector<Column> columns_;
  std::unordered_multimap<postgres::Oid, std::size_t> by_relation_;
  std::vector<ColumnMask> masks_;  ///< They hold for relations that are younger too.
  std::vector<View> views_;
  std::vector<Root> roots_;  ///< Of columns_, until they are finished.
};

/// The catalogs of one worker: a session that finds none, or an old one, asks.
class CatalogCache {
 public:
  static constexpr Duration lifetime = seconds(60);

  struct Key {
    std::uint64_t generation = 0;  ///< Of the configuration.
    std::size_t listener = 0;
    std::string database;
    friend bool operator==(const Key&, const Key&) = default;
  };
  [[nodiscard]] std::shared_ptr<const ColumnCatalog> find(const Key& key, Instant now) const;
  void put(Key key, std::shared_ptr<const ColumnCatalog> catalog, Instant now);
  /// A statement has changed the database.
  void forget(const Key& key);

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const ColumnCatalog> catalog;
    Instant asked;
  };
  static constexpr std::size_t entries_max = 64;
  std::vector<Entry> entries_;
};

}  // namespace sluice::dataplane
