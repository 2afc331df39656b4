// Which relations a name in a query may mean. Internal to sql.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql/analysis.h"

namespace sluice::sql {

/// Where a value comes from: columns of relations, or of a recursive query's own result
/// while that is being worked out.
struct Origin {
  Column column{};
  int recursion = 0;      ///< Of which recursive query; 0: of none, `column` counts.
  std::size_t index = 0;  ///< Which of its columns.
  friend auto operator<=>(const Origin&, const Origin&) = default;
};
using Origins = std::set<Origin>;

/// One column of a query's result.
struct Field {
  std::string name{};
  bool is_direct = false;
  bool is_star = false;  ///< Any number of columns, of any name.
  Origins origins{};
};
using Fields = std::vector<Field>;

bool has_star(const Fields& fields);
Origins all_origins(const Fields& fields);

/// Something in FROM, or the target of an INSERT, UPDATE, DELETE or MERGE.
struct Source {
  std::string alias{};                     ///< What its columns are qualified with; may be empty.
  std::optional<RelationName> relation{};  ///< Of the database; nothing: a query or function.
  std::vector<std::string> renamed{};      ///< A relation's columns that its alias renames.
  Fields fields{};                         ///< Of a query or function.
};

struct CteFrame;

struct Scope {
  std::vector<Source> sources{};
  bool has_merged_columns = false;  ///< By USING or NATURAL.
  const Scope* outer = nullptr;
  CteFrame* ctes = nullptr;
};

/// What a column reference may mean.
struct Resolved {
  Origins origins{};
  bool is_direct = true;  ///< False when one of the meanings is computed.
};

/// `name`, without a qualifier.
Resolved resolve(const Scope& scope, const std::string& name);
/// `qualifier.name`; `name` may be "*".
Resolved resolve(const Scope& scope, const std::string& schema, const std::string& qualifier,
                 const std::string& name);

/// The name of a relation where the tree has one: {relname, schemaname, …}.
RelationName relation_name(const nlohmann::json& range);

}  // namespace sluice::sql
