#include "sql/query_walker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "sql/known_functions.h"
#include "sql/row_condition.h"
#include "sql/tree.h"

namespace sluice::sql {
namespace {

using nlohmann::json;
using Access = Uses::Access;

constexpr std::size_t columns_max = 1664;  // What a result of PostgreSQL may have.

/// Expressions of which nothing is to know but what they hold.
bool is_plain_expression(std::string_view tag) {
  static constexpr std::array<std::string_view, 34> tags{
      "A_ArrayExpr",   "A_Const",  "A_Expr",     "A_Indices",      "A_Indirection",
      "A_Star",        "Alias",    "BitString",  "BoolExpr",       "Boolean",
      "BooleanTest",   "CaseExpr", "CaseWhen",   "CoalesceExpr",   "CollateClause",
      "CurrentOfExpr", "DefElem",  "Float",      "GroupingFunc",   "GroupingSet",
      "Integer",       "List",     "MinMaxExpr", "MultiAssignRef", "NamedArgExpr",
      "NullTest",      "ParamRef", "ResTarget",  "RowExpr",        "SQLValueFunction",
      "SetToDefault",  "SortBy",   "String",     "TypeCast"};
  static constexpr std::array<std::string_view, 7> more{
      "TypeName",  "XmlExpr",     "XmlSerialize", "RangeTableFuncCol",
      "IndexElem", "InferClause", "WindowDef"};
  return std::find(tags.begin(), tags.end(), tag) != tags.end() ||
         std::find(more.begin(), more.end(), tag) != more.end();
}

void rename(Fields& fields, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (has_star(fields)) {
    fields = {Field{.is_star = true, .origins = all_origins(fields)}};
    return;
  }
  for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) fields[i].name = names[i];
}

/// Two results that become one, as UNION makes it.
Fields united(Fields left, const Fields& right) {
  if (has_star(left) || has_star(right) || left.size() != right.size()) {
    const auto is_direct = [](const Field& field) { return field.is_direct; };
    Field all{.is_direct = std::all_of(left.begin(), left.end(), is_direct) &&
                           std::all_of(right.begin(), right.end(), is_direct),
              .is_star = true,
              .origins = all_origins(left)};
    // The names are the left side's: a column of the right one has another.
    if (right.size() != 1 || left.size() != 1) all.is_direct = false;
    all.origins.merge(all_origins(right));
    return {std::move(all)};
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    left[i].is_direct = left[i].is_direct && right[i].is_direct;
    left[i].origins.insert(right[i].origins.begin(), right[i].origins.end());
  }
  return left;
}

/// Puts in place of a recursive query's own columns what they come from.
void close_recursion(Fields& fields, int recursion) {
  const Fields open = fields;
  for (Field& field : fields) {
    Origins closed;
    std::set<std::size_t> seen;
    std::vector<Origin> waiting(field.origins.begin(), field.origins.end());
    while (!waiting.empty()) {
      Origin origin = std::move(waiting.back());
      waiting.pop_back();
      if (origin.recursion != recursion) {
        closed.insert(std::move(origin));
      } else if (origin.index >= open.size() || has_star(open)) {
        closed.merge(all_origins(open));
        std::erase_if(closed, [&](const Origin& one) { return one.recursion == recursion; });
      } else if (seen.insert(origin.index).second) {
        field.is_direct = field.is_direct && open[origin.index].is_direct;
        waiting.insert(waiting.end(), open[origin.index].origins.begin(),
                       open[origin.index].origins.end());
      }
    }
    field.origins = std::move(closed);
  }
}

}  // namespace

void Uses::relation(const RelationName& name, Access access) {
  RelationUse& use = relations_[name];
  use.relation = name;
  if (access == Access::read) use.is_read = true;
  if (access == Access::write) use.is_written = true;
  if (access == Access::define) use.is_defined = true;
}

void Uses::column(const Column& column, Access access) {
  ColumnUse& use = columns_[column];
  use.column = column;
  if (access == Access::return_ && !use.is_read) use.is_read = use.is_only_returned = true;
  if (access == Access::read) {
    use.is_read = true;
    use.is_only_returned = false;
  }
  if (access == Access::write) use.is_written = true;
}

void Uses::function(FunctionName name) {
  if (runs_text(name.name)) opaque(fmt::format("{}() runs what its argument says", name.name));
  functions_.insert(std::move(name));
}

void Uses::opaque(std::string_view why) {
  if (statement.opaque_because.empty()) statement.opaque_because = why;
}

void Uses::finish() {
  for (auto& [name, use] : relations_) statement.relations.push_back(std::move(use));
  for (auto& [column, use] : columns_) statement.columns.push_back(std::move(use));
  statement.functions.assign(functions_.begin(), functions_.end());
}

bool QueryWalker::is_query(const json& tagged) {
  const std::string_view tag = tag_of(tagged);
  return tag == "SelectStmt" || tag == "InsertStmt" || tag == "UpdateStmt" || tag == "DeleteStmt" ||
         tag == "MergeStmt";
}

Fields QueryWalker::query(const json& tagged, const Scope* outer, CteFrame* ctes) {
  budget_.spend(1);
  ++depth_;
  const bool was_in_returning = std::exchange(in_returning_, false);
  Fields fields = any_query(tagged, outer, ctes);
  in_returning_ = was_in_returning;
  --depth_;
  return fields;
}

Fields QueryWalker::any_query(const json& tagged, const Scope* outer, CteFrame* ctes) {
  const std::string_view tag = tag_of(tagged);
  const json& tree = body_of(tagged);
  if (tag == "SelectStmt") return select(tree, outer, ctes);
  const std::unique_ptr<CteFrame> frame = open_ctes(tree, outer, ctes);
  CteFrame* const inner = frame ? frame.get() : ctes;
  Fields fields = body(tag, tree, outer, inner);
  if (frame) close_ctes(*frame);
  return fields;
}

Fields QueryWalker::body(std::string_view tag, const json& tree, const Scope* outer,
                         CteFrame* ctes) {
  ClassSet& classes = uses_.statement.classes;
  if (tag == "InsertStmt") {
    classes.add(StatementClass::insert);
    return insert(tree, outer, ctes);
  }
  if (tag == "UpdateStmt") {
    classes.add(StatementClass::update);
    return update(tree, outer, ctes);
  }
  if (tag == "DeleteStmt") {
    classes.add(StatementClass::delete_);
    return remove(tree, outer, ctes);
  }
  if (tag == "MergeStmt") {
    classes.add(StatementClass::merge);
    return merge(tree, outer, ctes);
  }
  uses_.opaque(fmt::format("{} is not known as a query", tag));
  return {};
}

// ---- WITH ----

std::unique_ptr<CteFrame> QueryWalker::open_ctes(const json& tree, const Scope* outer,
                                                 CteFrame* ctes) {
  const json& with = at(tree, "withClause");
  if (with.is_null()) return nullptr;
  auto frame = std::make_unique<CteFrame>();
  frame->outer = ctes;
  frame->outer_scope = outer;
  for (const json& tagged : at(with, "ctes")) {
    const json& cte = body_of(tagged);
    frame->ctes.emplace_back(text_at(cte, "ctename"), CteFrame::Cte{.tree = &cte});
  }
  if (flag_at(with, "recursive")) {
    frame->visible = frame->ctes.size();  // Also those that come later.
  } else {
    for (std::size_t i = 0; i < frame->ctes.size(); ++i) {
      run_cte(*frame, i);
      frame->visible = i + 1;
    }
  }
  return frame;
}

/// What nobody names runs all the same when it writes.
void QueryWalker::close_ctes(CteFrame& frame) {
  for (std::size_t i = 0; i < frame.ctes.size(); ++i) {
    if (frame.ctes[i].second.state == CteFrame::Cte::State::waiting) run_cte(frame, i);
  }
}

void QueryWalker::run_cte(CteFrame& frame, std::size_t index) {
  CteFrame::Cte& cte = frame.ctes[index].second;
  cte.state = CteFrame::Cte::State::running;
  cte.recursion = ++recursions_;
  const json& tree = *cte.tree;
  Fields fields = query(at(tree, "ctequery"), frame.outer_scope, &frame);
  close_recursion(fields, cte.recursion);
  rename(fields, names_at(tree, "aliascolnames"));
  const Origins all = all_origins(fields);
  const auto add_computed = [&](const json& clause, std::string_view key) {
    if (clause.is_null()) return;
    if (std::string name = text_at(clause, key); !name.empty()) {
      fields.push_back(Field{.name = std::move(name), .origins = all});
    }
  };
  add_computed(at(tree, "search_clause"), "search_seq_column");
  add_computed(at(tree, "cycle_clause"), "cycle_mark_column");
  add_computed(at(tree, "cycle_clause"), "cycle_path_column");
  cte.fields = std::move(fields);
  cte.state = CteFrame::Cte::State::done;
}

const Fields* QueryWalker::find_cte(const std::string& name, CteFrame* frame, Fields& self) {
  for (; frame != nullptr; frame = frame->outer) {
    for (std::size_t i = 0; i < frame->visible; ++i) {
      if (frame->ctes[i].first != name) continue;
      CteFrame::Cte& cte = frame->ctes[i].second;
      if (cte.state == CteFrame::Cte::State::waiting) run_cte(*frame, i);
      if (cte.state == CteFrame::Cte::State::done) return &cte.fields;
      // Its own result: columns by their place, under the names it will have.
      std::vector<std::string> names = names_at(*cte.tree, "aliascolnames");
      const json* first = &body_of(at(*cte.tree, "ctequery"));
      while (!at(*first, "larg").is_null()) first = &at(*first, "larg");
      const json& targets = at(*first, "targetList");
      std::size_t index = 0;
      bool is_open = targets.is_null();
      for (const json& target : targets) {
        int strength = 0;
        const json& item = body_of(target);
        const bool is_reference = tag_of(at(item, "val")) == "ColumnRef";
        is_open = is_open || (is_reference && is_star(body_of(at(item, "val"))));
        Field field{.name = text_at(item, "name"), .is_direct = true};
        if (field.name.empty()) field.name = output_name(at(item, "val"), strength);
        field.origins.insert(Origin{.recursion = cte.recursion, .index = index++});
        self.push_back(std::move(field));
      }
      if (is_open) {
        self = {Field{.is_star = true,
                      .origins = {Origin{.recursion = cte.recursion, .index = columns_max}}}};
      }
      rename(self, names);
      return &self;
    }
  }
  return nullptr;
}

// ---- SELECT ----

Fields QueryWalker::select(const json& tree, const Scope* outer, CteFrame* ctes) {
  budget_.spend(1);
  const std::unique_ptr<CteFrame> frame = open_ctes(tree, outer, ctes);
  CteFrame* const inner = frame ? frame.get() : ctes;
  Fields fields;
  if (text_at(tree, "op") != "SETOP_NONE") {
    fields = united(select(at(tree, "larg"), outer, inner), select(at(tree, "rarg"), outer, inner));
    const Scope scope{.outer = outer, .ctes = inner};
    order(at(tree, "sortClause"), scope, fields);
    expression(at(tree, "limitCount"), scope);
    expression(at(tree, "limitOffset"), scope);
  } else if (const json& rows = at(tree, "valuesLists"); !rows.is_null()) {
    fields = values(rows, outer, inner);
    const Scope scope{.outer = outer, .ctes = inner};
    order(at(tree, "sortClause"), scope, fields);
    expression(at(tree, "limitCount"), scope);
    expression(at(tree, "limitOffset"), scope);
  } else {
    uses_.statement.classes.add(StatementClass::select);
    fields = simple_select(tree, outer, inner);
  }
  if (const json& into = at(tree, "intoClause"); !into.is_null()) {
    uses_.statement.classes.add(StatementClass::create);
    uses_.statement.is_temporary = uses_.statement.is_temporary || is_temporary(at(into, "rel"));
    uses_.relation(relation_name(at(into, "rel")), Access::define);
    uses_.relation(relation_name(at(into, "rel")), Access::write);
  }
  if (frame) close_ctes(*frame);
  budget_.spend(fields.size());
  return fields;
}

Fields QueryWalker::simple_select(const json& tree, const Scope* outer, CteFrame* ctes) {
  Scope scope{.outer = outer, .ctes = ctes};
  for (const json& item : at(tree, "fromClause")) source(item, scope);
  Fields fields = outputs(at(tree, "targetList"), scope);
  expression(at(tree, "whereClause"), scope);
  order(at(tree, "groupClause"), scope, fields);
  expression(at(tree, "havingClause"), scope);
  expression(at(tree, "windowClause"), scope);
  order(at(tree, "distinctClause"), scope, fields);
  order(at(tree, "sortClause"), scope, fields);
  expression(at(tree, "limitCount"), scope);
  expression(at(tree, "limitOffset"), scope);
  return fields;
}

Fields QueryWalker::values(const json& rows, const Scope* outer, CteFrame* ctes) {
  const Scope scope{.outer = outer, .ctes = ctes};
  Fields fields;
  for (const json& row : rows) {
    std::size_t index = 0;
    for (const json& item : at(body_of(row), "items")) {
      if (fields.size() <= index) {
        fields.push_back(Field{.name = fmt::format("column{}", index + 1)});
      }
      fields[index++].origins.merge(expression(item, scope));
    }
  }
  return fields;
}

/// ORDER BY, GROUP BY and DISTINCT ON: a lone name is an output column's where one has it.
void QueryWalker::order(const json& tree, const Scope& scope, const Fields& fields) {
  for (const json& item : tree) {
    const json& value = tag_of(item) == "SortBy" ? at(body_of(item), "node") : item;
    if (tag_of(value) == "ColumnRef") {
      const std::vector<std::string> names = names_at(body_of(value), "fields");
      const bool is_output =
          names.size() == 1 && (scope.sources.empty() ||
                                std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
                                  return field.name == names[0] && field.origins.empty();
                                }));
      if (is_output) continue;
    }
    expression(item, scope);
  }
}

// ---- FROM ----

void QueryWalker::source(const json& tagged, Scope& scope) {
  budget_.spend(1);
  const std::string_view tag = tag_of(tagged);
  const json& tree = body_of(tagged);
  if (tag == "RangeVar") return relation_source(tree, scope);
  if (tag == "RangeSubselect") return query_source(tree, scope);
  if (tag == "JoinExpr") return join_source(tree, scope);
  if (tag == "RangeFunction" || tag == "RangeTableFunc") return function_source(tree, scope);
  if (tag == "RangeTableSample") {
    source(at(tree, "relation"), scope);
    uses_.function({"", names_at(tree, "method").empty() ? "" : names_at(tree, "method").back()});
    expression(at(tree, "args"), scope);
    expression(at(tree, "repeatable"), scope);
    return;
  }
  uses_.opaque(fmt::format("{} is not known in FROM", tag));
}

void QueryWalker::relation_source(const json& range, Scope& scope) {
  Source source;
  const RelationName name = relation_name(range);
  const json& alias = at(range, "alias");
  source.alias = alias.is_null() ? name.name : text_at(alias, "aliasname");
  Fields self;
  const Fields* const cte = name.schema.empty() ? find_cte(name.name, scope.ctes, self) : nullptr;
  if (cte != nullptr) {
    source.fields = *cte;
    budget_.spend(cte->size());
    rename(source.fields, names_at(alias, "colnames"));
  } else {
    source.relation = name;
    source.renamed = names_at(alias, "colnames");
    uses_.relation(name, Access::read);
  }
  scope.sources.push_back(std::move(source));
}

void QueryWalker::query_source(const json& tree, Scope& scope) {
  const json& alias = at(tree, "alias");
  // Only LATERAL sees what stands before it.
  const Scope* const outer = flag_at(tree, "lateral") ? &scope : scope.outer;
  Source source{.alias = text_at(alias, "aliasname"),
                .fields = query(at(tree, "subquery"), outer, scope.ctes)};
  rename(source.fields, names_at(alias, "colnames"));
  scope.sources.push_back(std::move(source));
}

void QueryWalker::function_source(const json& tree, Scope& scope) {
  Origins origins;
  for (const std::string_view key : {"functions", "docexpr", "rowexpr", "namespaces", "columns"}) {
    origins.merge(expression(at(tree, key), scope));
  }
  const json& alias = at(tree, "alias");
  Source source{.alias = text_at(alias, "aliasname")};
  source.fields.push_back(Field{.is_star = true, .origins = std::move(origins)});
  scope.sources.push_back(std::move(source));
}

void QueryWalker::join_source(const json& tree, Scope& scope) {
  const std::size_t first = scope.sources.size();
  source(at(tree, "larg"), scope);
  source(at(tree, "rarg"), scope);
  expression(at(tree, "quals"), scope);
  const std::vector<std::string> merged = names_at(tree, "usingClause");
  const bool is_natural = flag_at(tree, "isNatural");
  scope.has_merged_columns = scope.has_merged_columns || is_natural || !merged.empty();
  // Each side has such a column, also where only one is known to.
  for (const std::string& name : merged) record(resolve(scope, name));

  // A joined table with a name of its own hides what it is made of, or adds a name.
  const auto gather = [&](const std::string& alias) {
    Source joined{.alias = alias};
    Origins origins;
    for (std::size_t i = first; i < scope.sources.size(); ++i) {
      const Source& part = scope.sources[i];
      if (part.relation) {
        origins.insert(Origin{.column = {*part.relation, "*", true}});
      } else {
        origins.merge(all_origins(part.fields));
      }
    }
    joined.fields.push_back(Field{.is_star = true, .origins = std::move(origins)});
    return joined;
  };
  if (is_natural) {
    Source all = gather("");
    record(Resolved{.origins = all.fields[0].origins});
  }
  const json& alias = at(tree, "alias");
  const json& using_alias = at(tree, "join_using_alias");
  if (!alias.is_null()) {
    Source joined = gather(text_at(alias, "aliasname"));
    scope.sources.resize(first);
    scope.sources.push_back(std::move(joined));
  } else if (!using_alias.is_null()) {
    scope.sources.push_back(gather(text_at(using_alias, "aliasname")));
  }
}

// ---- INSERT, UPDATE, DELETE, MERGE ----

/// The relation that is written: no CTE can have its name.
void QueryWalker::target(const json& relation, Scope& scope) {
  const RelationName name = relation_name(relation);
  const json& alias = at(relation, "alias");
  uses_.relation(name, Access::write);
  scope.sources.push_back(
      Source{.alias = alias.is_null() ? name.name : text_at(alias, "aliasname"), .relation = name});
}

void QueryWalker::assignments(const json& targets, const RelationName& relation,
                              const Scope& scope) {
  for (const json& item : targets) {
    const json& assigned = body_of(item);
    uses_.column({relation, text_at(assigned, "name"), true}, Access::write);
    expression(at(assigned, "indirection"), scope);
    const json& value = at(assigned, "val");
    // (a, b) = (…): the tree repeats … for each of them.
    const bool is_repeated =
        tag_of(value) == "MultiAssignRef" && body_of(value).value("colno", 1) != 1;
    if (!is_repeated) expression(value, scope);
  }
}

Fields QueryWalker::insert(const json& tree, const Scope* outer, CteFrame* ctes) {
  Scope scope{.outer = outer, .ctes = ctes};
  target(at(tree, "relation"), scope);
  const RelationName relation = relation_name(at(tree, "relation"));
  const json& columns = at(tree, "cols");
  if (columns.is_null()) uses_.column({relation, "*", true}, Access::write);
  assignments(columns, relation, scope);
  if (const json& select = at(tree, "selectStmt"); !select.is_null()) query(select, outer, ctes);
  if (const json& conflict = at(tree, "onConflictClause"); !conflict.is_null()) {
    if (text_at(conflict, "action") == "ONCONFLICT_UPDATE") {
      uses_.statement.classes.add(StatementClass::update);
    }
    Scope both = scope;
    both.sources.push_back(Source{.alias = "excluded"});  // The row that was to be inserted.
    const json& infer = at(conflict, "infer");
    for (const json& element : at(infer, "indexElems")) {
      if (const std::string name = text_at(body_of(element), "name"); !name.empty()) {
        uses_.column({relation, name, true}, Access::read);
      }
      expression(at(body_of(element), "expr"), scope);
    }
    expression(at(infer, "whereClause"), scope);
    assignments(at(conflict, "targetList"), relation, both);
    expression(at(conflict, "whereClause"), both);
  }
  return returning(tree, scope);
}

Fields QueryWalker::update(const json& tree, const Scope* outer, CteFrame* ctes) {
  Scope scope{.outer = outer, .ctes = ctes};
  target(at(tree, "relation"), scope);
  for (const json& item : at(tree, "fromClause")) source(item, scope);
  assignments(at(tree, "targetList"), relation_name(at(tree, "relation")), scope);
  check_where(at(tree, "whereClause"), scope);
  return returning(tree, scope);
}

Fields QueryWalker::remove(const json& tree, const Scope* outer, CteFrame* ctes) {
  Scope scope{.outer = outer, .ctes = ctes};
  target(at(tree, "relation"), scope);
  for (const json& item : at(tree, "usingClause")) source(item, scope);
  check_where(at(tree, "whereClause"), scope);
  return returning(tree, scope);
}

Fields QueryWalker::merge(const json& tree, const Scope* outer, CteFrame* ctes) {
  Scope scope{.outer = outer, .ctes = ctes};
  target(at(tree, "relation"), scope);
  const RelationName relation = relation_name(at(tree, "relation"));
  source(at(tree, "sourceRelation"), scope);
  expression(at(tree, "joinCondition"), scope);
  for (const json& tagged : at(tree, "mergeWhenClauses")) {
    const json& clause = body_of(tagged);
    const std::string kind = text_at(clause, "commandType");
    const json& targets = at(clause, "targetList");
    ClassSet& classes = uses_.statement.classes;
    if (kind == "CMD_UPDATE") classes.add(StatementClass::update);
    if (kind == "CMD_DELETE") classes.add(StatementClass::delete_);
    if (kind == "CMD_INSERT") {
      classes.add(StatementClass::insert);
      if (targets.is_null()) uses_.column({relation, "*", true}, Access::write);
    }
    expression(at(clause, "condition"), scope);
    assignments(targets, relation, scope);
    expression(at(clause, "values"), scope);
  }
  return {};
}

void QueryWalker::check_where(const json& tree, const Scope& scope) {
  expression(tree, scope);
  const RowCondition condition = row_condition(tree, scope);
  if (!condition.tells_rows_apart) uses_.statement.without_where = true;
  if (condition.literals_matter) literals_matter_ = true;
}

// ---- What comes out ----

Fields QueryWalker::returning(const json& tree, const Scope& scope) {
  in_returning_ = depth_ == 1;
  Fields fields = outputs(at(tree, "returningList"), scope);
  in_returning_ = false;
  return fields;
}

Fields QueryWalker::outputs(const json& targets, const Scope& scope) {
  Fields fields;
  for (const json& target : targets) {
    const json& item = body_of(target);
    const json& value = at(item, "val");
    const bool is_reference = tag_of(value) == "ColumnRef";
    if (is_reference && is_star(body_of(value))) {
      star(body_of(value), scope, fields);
    } else {
      int strength = 0;
      Field field{.name = text_at(item, "name")};
      if (field.name.empty()) field.name = output_name(value, strength);
      if (is_reference) {
        Resolved resolved = column_reference(body_of(value), scope);
        field.is_direct = resolved.is_direct && !resolved.origins.empty();
        field.origins = std::move(resolved.origins);
      } else {
        field.origins = expression(value, scope);
      }
      fields.push_back(std::move(field));
    }
    budget_.spend(fields.size() == 0 ? 1 : fields.back().origins.size() + 1);
    if (fields.size() > columns_max) throw TooComplex{};
  }
  return fields;
}

/// *, t.* and s.t.*: the columns of a query one by one, a relation's as one star.
void QueryWalker::star(const json& reference, const Scope& scope, Fields& fields) {
  const std::vector<std::string> names = names_at(reference, "fields");
  if (names.empty() && scope.has_merged_columns) {
    Field all{.is_direct = true, .is_star = true};
    for (const Source& source : scope.sources) {
      if (source.relation) {
        all.origins.insert(Origin{.column = {*source.relation, "*", true}});
        all.is_direct = all.is_direct && source.renamed.empty();
      } else {
        all.origins.merge(all_origins(source.fields));
        all.is_direct = false;
      }
    }
    record(Resolved{.origins = all.origins});
    fields.push_back(std::move(all));
    return;
  }
  const std::string qualifier = names.empty() ? "" : names.back();
  bool is_found = false;
  for (const Scope* level = &scope; level != nullptr && !is_found; level = level->outer) {
    for (const Source& source : level->sources) {
      const bool is_meant = names.empty() || source.alias == qualifier;
      if (!is_meant) continue;
      is_found = true;
      if (source.relation) {
        Field all{.is_direct = source.renamed.empty(), .is_star = true};
        all.origins.insert(Origin{.column = {*source.relation, "*", true}});
        record(Resolved{.origins = all.origins});
        fields.push_back(std::move(all));
      } else {
        budget_.spend(source.fields.size());
        if (fields.size() + source.fields.size() > columns_max) throw TooComplex{};
        fields.insert(fields.end(), source.fields.begin(), source.fields.end());
      }
    }
    if (names.empty()) break;
  }
}

/// The name the server gives a column without AS (its FigureColname).
std::string QueryWalker::output_name(const json& value, int& strength) {
  const std::string_view tag = tag_of(value);
  const json& tree = body_of(value);
  const auto sure = [&](std::string name) {
    strength = 2;
    return name;
  };
  const auto last = [](const std::vector<std::string>& names) {
    return names.empty() ? std::string() : names.back();
  };
  if (tag == "ColumnRef") return sure(last(names_at(tree, "fields")));
  if (tag == "FuncCall") return sure(last(names_at(tree, "funcname")));
  if (tag == "A_Indirection") {
    const std::string field = last(names_at(tree, "indirection"));
    return field.empty() ? output_name(at(tree, "arg"), strength) : sure(field);
  }
  if (tag == "A_Expr" && text_at(tree, "kind") == "AEXPR_NULLIF") return sure("nullif");
  if (tag == "TypeCast" || tag == "CaseExpr") {
    const bool is_cast = tag == "TypeCast";
    std::string name = output_name(at(tree, is_cast ? "arg" : "defresult"), strength);
    if (strength == 2) return name;
    strength = 1;
    return is_cast ? last(names_at(at(tree, "typeName"), "names")) : "case";
  }
  if (tag == "CollateClause") return output_name(at(tree, "arg"), strength);
  if (tag == "GroupingFunc") return sure("grouping");
  if (tag == "SubLink") {
    const std::string kind = text_at(tree, "subLinkType");
    if (kind == "EXISTS_SUBLINK") return sure("exists");
    if (kind == "ARRAY_SUBLINK") return sure("array");
    if (kind == "EXPR_SUBLINK") {
      const json* select = &body_of(at(tree, "subselect"));
      while (!at(*select, "larg").is_null()) select = &at(*select, "larg");
      const json& targets = at(*select, "targetList");
      if (targets.empty()) return sure("column1");
      const json& first = body_of(targets[0]);
      const std::string name = text_at(first, "name");
      return sure(name.empty() ? output_name(at(first, "val"), strength) : name);
    }
  }
  if (tag == "A_ArrayExpr") return sure("array");
  if (tag == "RowExpr") return sure("row");
  if (tag == "CoalesceExpr") return sure("coalesce");
  if (tag == "MinMaxExpr") return sure(text_at(tree, "op") == "IS_LEAST" ? "least" : "greatest");
  if (tag == "XmlSerialize") return sure("xmlserialize");
  if (tag == "XmlExpr") {
    const std::string op = text_at(tree, "op");
    if (op.starts_with("IS_XML")) return sure(in_lower_case(std::string_view(op).substr(3)));
  }
  if (tag == "SQLValueFunction") {
    std::string op = in_lower_case(text_at(tree, "op"));
    if (op.starts_with("svfop_")) op.erase(0, 6);
    if (op.ends_with("_n")) op.erase(op.size() - 2);
    return sure(op);
  }
  return "?column?";
}

// ---- Expressions ----

Origins QueryWalker::each(const json& tree, const Scope& scope) {
  Origins origins;
  for (const json& child : tree) {
    if (child.is_structured()) origins.merge(expression(child, scope));
  }
  return origins;
}

Origins QueryWalker::expression(const json& tree, const Scope& scope) {
  if (!tree.is_structured()) return {};
  budget_.spend(1);
  const std::string_view tag = tag_of(tree);
  if (tag.empty()) return each(tree, scope);
  const json& inner = body_of(tree);
  if (tag == "ColumnRef") return column_reference(inner, scope).origins;
  if (tag == "FuncCall") return function_call(inner, scope);
  if (tag == "SubLink") return sub_query(inner, scope);
  if (is_query(tree)) return all_origins(query(tree, &scope, scope.ctes));
  if (!is_plain_expression(tag)) uses_.opaque(fmt::format("{} is not known here", tag));
  Origins origins = each(inner, scope);
  budget_.spend(origins.size());
  return origins;
}

Origins QueryWalker::function_call(const json& tree, const Scope& scope) {
  const std::vector<std::string> names = names_at(tree, "funcname");
  FunctionName name;
  if (!names.empty()) name.name = names.back();
  if (names.size() > 1) name.schema = names[names.size() - 2];
  if (name.name == "set_config") set_config(at(tree, "args"));
  uses_.function(name);
  // What only chooses or orders rows is read, but is not in the value.
  expression(at(tree, "agg_filter"), scope);
  expression(at(tree, "over"), scope);
  Origins ordering = expression(at(tree, "agg_order"), scope);
  Origins origins = expression(at(tree, "args"), scope);
  if (flag_at(tree, "agg_within_group")) origins.merge(ordering);
  return origins;
}

void QueryWalker::set_config(const json& arguments) {
  Setting setting;
  const auto constant = [&](std::size_t index) -> std::optional<std::string> {
    if (!arguments.is_array() || index >= arguments.size()) return std::nullopt;
    return constant_text(arguments[index]);
  };
  const std::optional<std::string> name = constant(0);
  if (name) setting.name = in_lower_case(*name);
  setting.value = constant(1);
  setting.is_known = name && setting.value;
  setting.is_local = constant(2) == "true";
  literals_matter_ = true;
  uses_.statement.settings.push_back(std::move(setting));
}

Origins QueryWalker::sub_query(const json& tree, const Scope& scope) {
  Origins origins = expression(at(tree, "testexpr"), scope);
  const json& select = at(tree, "subselect");
  if (!is_query(select)) {
    uses_.opaque("a subquery that is none");
    return origins;
  }
  const Fields fields = query(select, &scope, scope.ctes);
  // EXISTS tells whether there is a row, not what is in it.
  if (text_at(tree, "subLinkType") != "EXISTS_SUBLINK") origins.merge(all_origins(fields));
  return origins;
}

Resolved QueryWalker::column_reference(const json& tree, const Scope& scope) {
  std::vector<std::string> names = names_at(tree, "fields");
  if (is_star(tree)) names.emplace_back("*");
  Resolved resolved;
  if (names.size() == 1 && names[0] != "*") {
    resolved = resolve(scope, names[0]);
  } else if (names.size() == 1) {
    for (const Source& source : scope.sources) {
      resolved.origins.merge(resolve(scope, "", source.alias, "*").origins);
    }
    resolved.is_direct = false;
  } else if (names.size() >= 2) {
    const std::string& name = names.back();
    const std::string& qualifier = names[names.size() - 2];
    const std::string schema = names.size() > 2 ? names[names.size() - 3] : "";
    resolved = resolve(scope, schema, qualifier, name);
    if (takes_whole_row(name)) {
      uses_.function({"", name});
      resolved.origins.merge(resolve(scope, schema, qualifier, "*").origins);
      resolved.is_direct = false;
    }
  }
  if (resolved.origins.empty() && !names.empty() && scope.sources.empty() &&
      scope.outer == nullptr) {
    uses_.column({{}, names.back(), true}, Access::read);
  }
  record(resolved);
  return resolved;
}

void QueryWalker::record(const Resolved& resolved) {
  budget_.spend(resolved.origins.size() + 1);
  for (const Origin& origin : resolved.origins) {
    if (origin.recursion != 0) continue;
    uses_.column(origin.column, in_returning_ ? Access::return_ : Access::read);
    uses_.relation(origin.column.relation, Access::read);
  }
}

}  // namespace sluice::sql
