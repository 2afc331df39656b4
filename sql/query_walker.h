// Walks the parse trees of queries: collects what they use and works out where
// their columns come from. Internal to sql.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

#include "sql/analysis.h"
#include "sql/scope.h"

namespace sluice::sql {

/// The text needs more work than an analysis may cost.
struct TooComplex {};

/// The queries of one WITH clause. They are worked out when one is first named.
struct CteFrame {
  struct Cte {
    const nlohmann::json* tree = nullptr;
    enum class State : std::uint8_t { waiting, running, done } state = State::waiting;
    int recursion = 0;  ///< While it runs: how its own columns are called.
    Fields fields{};
  };
  std::vector<std::pair<std::string, Cte>> ctes;
  std::size_t visible = 0;  ///< The first so many can be named.
  const Scope* outer_scope = nullptr;
  CteFrame* outer = nullptr;
};

/// What the statements of one text may cost together.
class Budget {
 public:
  void spend(std::size_t steps) {
    if (steps > left_) throw TooComplex{};
    left_ -= steps;
  }

 private:
  std::size_t left_ = 4'000'000;
};

/// Everything that one statement uses.
class Uses {
 public:
  enum class Access : std::uint8_t { read, return_, write, define };

  explicit Uses(Statement& into) noexcept : statement(into) {}
  void relation(const RelationName& name, Access access);
  void column(const Column& column, Access access);
  void function(FunctionName name);
  void opaque(std::string_view why);
  /// Moves what was collected into the statement.
  void finish();

  // NOLINTNEXTLINE(misc-non-private-member-variables-in-classes): the walkers fill it in.
  Statement& statement;

 private:
  std::map<RelationName, RelationUse> relations_;
  std::map<Column, ColumnUse> columns_;
  std::set<FunctionName> functions_;
};

class QueryWalker {
 public:
  QueryWalker(Uses& uses, Budget& budget, bool& literals_matter) noexcept
      : uses_(uses), budget_(budget), literals_matter_(literals_matter) {}

  /// A tree that is tagged SelectStmt, InsertStmt, UpdateStmt, DeleteStmt or MergeStmt.
  static bool is_query(const nlohmann::json& tagged);
  /// Walks such a tree and adds its class. What it returns, column by column.
  Fields query(const nlohmann::json& tagged, const Scope* outer, CteFrame* ctes);
  /// Walks an expression, or a list of them. Where its value comes from.
  Origins expression(const nlohmann::json& tree, const Scope& scope);
  /// Puts a relation, query or function of FROM into the scope.
  void source(const nlohmann::json& tagged, Scope& scope);

 private:
  Fields any_query(const nlohmann::json& tagged, const Scope* outer, CteFrame* ctes);
  Fields select(const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);
  Fields simple_select(const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);
  Fields values(const nlohmann::json& rows, const Scope* outer, CteFrame* ctes);
  Fields insert(const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);
  Fields update(const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);
  Fields remove(const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);
  Fields merge(const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);
  Fields body(std::string_view tag, const nlohmann::json& tree, const Scope* outer, CteFrame* ctes);

  std::unique_ptr<CteFrame> open_ctes(const nlohmann::json& tree, const Scope* outer,
                                      CteFrame* ctes);
  void close_ctes(CteFrame& frame);
  const Fields* find_cte(const std::string& name, CteFrame* frame, Fields& self);
  void run_cte(CteFrame& frame, std::size_t index);

  void relation_source(const nlohmann::json& range, Scope& scope);
  void query_source(const nlohmann::json& tree, Scope& scope);
  void function_source(const nlohmann::json& tree, Scope& scope);
  void join_source(const nlohmann::json& tree, Scope& scope);
  void target(const nlohmann::json& relation, Scope& scope);
  void assignments(const nlohmann::json& targets, const RelationName& relation, const Scope& scope);
  void order(const nlohmann::json& tree, const Scope& scope, const Fields& fields);
  void check_where(const nlohmann::json& tree, const Scope& scope);

  Fields returning(const nlohmann::json& tree, const Scope& scope);
  Fields outputs(const nlohmann::json& targets, const Scope& scope);
  void star(const nlohmann::json& fields_of_reference, const Scope& scope, Fields& fields);
  std::string output_name(const nlohmann::json& value, int& strength);

  Origins function_call(const nlohmann::json& tree, const Scope& scope);
  Origins sub_query(const nlohmann::json& tree, const Scope& scope);
  Origins each(const nlohmann::json& tree, const Scope& scope);
  Resolved column_reference(const nlohmann::json& tree, const Scope& scope);
  void set_config(const nlohmann::json& arguments);
  void record(const Resolved& resolved);

  Uses& uses_;
  Budget& budget_;
  bool& literals_matter_;
  int recursions_ = 0;
  int depth_ = 0;              ///< Queries within queries.
  bool in_returning_ = false;  ///< Of the outermost, and not in a query within it.
};

}  // namespace sluice::sql
