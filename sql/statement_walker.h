// Walks the parse tree of one statement of any kind. Internal to sql.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "sql/analysis.h"
#include "sql/query_walker.h"

namespace sluice::sql {

class StatementWalker {
 public:
  StatementWalker(Statement& statement, Budget& budget, bool& literals_matter) noexcept
      : statement_(statement),
        uses_(statement),
        budget_(budget),
        literals_matter_(literals_matter),
        queries_(uses_, budget, literals_matter) {}

  /// tagged  {"SelectStmt": {…}} and the like.
  void walk(const nlohmann::json& tagged);

 private:
  bool walk_query(std::string_view tag, const nlohmann::json& tagged);
  bool walk_holder(std::string_view tag, const nlohmann::json& tree);
  bool walk_session(std::string_view tag, const nlohmann::json& tree);
  void walk_other(std::string_view tag, const nlohmann::json& tree);

  void hold(const nlohmann::json& inner, bool is_run);
  void copy(const nlohmann::json& tree);
  void explain(const nlohmann::json& tree);
  void set(const nlohmann::json& tree);
  void transaction(const nlohmann::json& tree);
  void call(const nlohmann::json& tree);
  void dropped_names(const nlohmann::json& tree);
  void generic(const nlohmann::json& tree, Uses::Access access, const Scope& scope);
  void row_limit(const nlohmann::json& tree);
  void be(StatementClass kind);
  void set_output(const Fields& fields);

  Statement& statement_;
  Uses uses_;
  Budget& budget_;
  bool& literals_matter_;
  QueryWalker queries_;
};

}  // namespace sluice::sql
