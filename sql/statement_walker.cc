#include "sql/statement_walker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "sql/tree.h"

namespace sluice::sql {
namespace {

using nlohmann::json;
using Access = Uses::Access;

/// The statements of which nothing special is to know.
struct Plain {
  std::string_view tag;
  StatementClass kind;
};

constexpr StatementClass create = StatementClass::create;
constexpr StatementClass alter = StatementClass::alter;
constexpr StatementClass drop = StatementClass::drop;

constexpr std::array plain_statements{
    Plain{"AlterCollationStmt", alter},
    Plain{"AlterDatabaseRefreshCollStmt", alter},
    Plain{"AlterDatabaseSetStmt", alter},
    Plain{"AlterDatabaseStmt", alter},
    Plain{"AlterDefaultPrivilegesStmt", StatementClass::grant},
    Plain{"AlterDomainStmt", alter},
    Plain{"AlterEnumStmt", alter},
    Plain{"AlterEventTrigStmt", alter},
    Plain{"AlterExtensionContentsStmt", alter},
    Plain{"AlterFdwStmt", alter},
    Plain{"AlterForeignServerStmt", alter},
    Plain{"AlterFunctionStmt", alter},
    Plain{"AlterObjectDependsStmt", alter},
    Plain{"AlterObjectSchemaStmt", alter},
    Plain{"AlterOpFamilyStmt", alter},
    Plain{"AlterOperatorStmt", alter},
    Plain{"AlterOwnerStmt", alter},
    Plain{"AlterPolicyStmt", alter},
    Plain{"AlterPublicationStmt", alter},
    Plain{"AlterRoleSetStmt", alter},
    Plain{"AlterRoleStmt", alter},
    Plain{"AlterSeqStmt", alter},
    Plain{"AlterStatsStmt", alter},
    Plain{"AlterSubscriptionStmt", alter},
    Plain{"AlterSystemStmt", alter},
    Plain{"AlterTSConfigurationStmt", alter},
    Plain{"AlterTSDictionaryStmt", alter},
    Plain{"AlterTableMoveAllStmt", alter},
    Plain{"AlterTableSpaceOptionsStmt", alter},
    Plain{"AlterTableStmt", alter},
    Plain{"AlterTypeStmt", alter},
    Plain{"AlterUserMappingStmt", alter},
    Plain{"CheckPointStmt", StatementClass::checkpoint},
    Plain{"ClusterStmt", StatementClass::cluster},
    Plain{"CommentStmt", StatementClass::comment},
    Plain{"CompositeTypeStmt", create},
    Plain{"ConstraintsSetStmt", StatementClass::set},
    Plain{"CreateAmStmt", create},
    Plain{"CreateCastStmt", create},
    Plain{"CreateConversionStmt", create},
    Plain{"CreateDomainStmt", create},
    Plain{"CreateEnumStmt", create},
    Plain{"CreateEventTrigStmt", create},
    Plain{"CreateFdwStmt", create},
    Plain{"CreateForeignServerStmt", create},
    Plain{"CreateForeignTableStmt", create},
    Plain{"CreateOpClassStmt", create},
    Plain{"CreateOpFamilyStmt", create},
    Plain{"CreatePLangStmt", create},
    Plain{"CreatePolicyStmt", create},
    Plain{"CreatePublicationStmt", create},
    Plain{"CreateRangeStmt", create},
    Plain{"CreateRoleStmt", create},
    Plain{"CreateSchemaStmt", create},
    Plain{"CreateSeqStmt", create},
    Plain{"CreateStatsStmt", create},
    Plain{"CreateStmt", create},
    Plain{"CreateSubscriptionStmt", create},
    Plain{"CreateTableSpaceStmt", create},
    Plain{"CreateTransformStmt", create},
    Plain{"CreateTrigStmt", create},
    Plain{"CreateUserMappingStmt", create},
    Plain{"CreatedbStmt", create},
    Plain{"DefineStmt", create},
    Plain{"DiscardStmt", StatementClass::discard},
    Plain{"DropOwnedStmt", drop},
    Plain{"DropRoleStmt", drop},
    Plain{"DropStmt", drop},
    Plain{"DropSubscriptionStmt", drop},
    Plain{"DropTableSpaceStmt", drop},
    Plain{"DropUserMappingStmt", drop},
    Plain{"DropdbStmt", drop},
    Plain{"IndexStmt", create},
    Plain{"LockStmt", StatementClass::lock},
    Plain{"ReassignOwnedStmt", alter},
    Plain{"RefreshMatViewStmt", StatementClass::refresh},
    Plain{"ReindexStmt", StatementClass::reindex},
    Plain{"RenameStmt", alter},
    Plain{"RuleStmt", create},
    Plain{"SecLabelStmt", StatementClass::comment},
    Plain{"TruncateStmt", StatementClass::truncate},
    Plain{"ViewStmt", create},
};

/// Statements that run, or will run, what their text does not show.
std::string_view hidden_by(std::string_view tag) {
  if (tag == "DoStmt") return "DO runs a block of code";
  if (tag == "CreateFunctionStmt") return "a function's body is not looked into";
  if (tag == "CreateExtensionStmt") return "an extension runs its own script";
  if (tag == "AlterExtensionStmt") return "an extension runs its own script";
  if (tag == "LoadStmt") return "LOAD runs a library's code";
  if (tag == "ImportForeignSchemaStmt") return "the foreign server says which tables are made";
  return {};
}

StatementClass hidden_class(std::string_view tag) {
  if (tag == "DoStmt") return StatementClass::do_;
  if (tag == "LoadStmt") return StatementClass::load;
  return tag == "AlterExtensionStmt" ? alter : create;
}

/// DECLARE … WITH HOLD. What is not understood is taken for it.
bool is_held(const json& declare) {
  constexpr std::uint64_t with_hold = 0x20;  // parsenodes.h, CURSOR_OPT_HOLD
  const json& options = at(declare, "options");
  return !options.is_number_unsigned() || (options.get<std::uint64_t>() & with_hold) != 0;
}

bool is_true(const std::optional<std::string>& option) {
  // Without a value an option is on.
  if (!option) return true;
  const std::string value = in_lower_case(*option);
  return value != "false" && value != "off" && value != "0";
}

/// What an option is set to; nothing when it has no value.
std::optional<std::string> option_text(const json& definition) {
  const json& value = at(definition, "arg");
  if (value.is_null()) return std::nullopt;
  const std::string_view tag = tag_of(value);
  if (tag == "String") return text_at(body_of(value), "sval");
  if (tag == "Float") return text_at(body_of(value), "fval");
  if (tag == "Boolean") return flag_at(body_of(value), "boolval") ? "true" : "false";
  if (tag == "Integer") {
    const json& number = at(body_of(value), "ival");
    return number.is_number() ? number.dump() : "0";
  }
  if (tag == "A_Star") return "*";
  if (tag == "List") {
    std::string all;
    for (const std::string& name : names_at(body_of(value), "items")) {
      if (!all.empty()) all += ',';
      all += name;
    }
    return all;
  }
  return constant_text(value);
}

/// The name a tree means by a list of strings: [schema, name].
RelationName name_of(std::vector<std::string> parts) {
  RelationName name;
  if (!parts.empty()) name.name = parts.back();
  if (parts.size() > 1) name.schema = parts[parts.size() - 2];
  return name;
}

TransactionStep step_of(std::string_view kind) {
  if (kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START") return TransactionStep::begin;
  if (kind == "TRANS_STMT_COMMIT") return TransactionStep::commit;
  if (kind == "TRANS_STMT_ROLLBACK") return TransactionStep::rollback;
  if (kind == "TRANS_STMT_SAVEPOINT") return TransactionStep::savepoint;
  if (kind == "TRANS_STMT_RELEASE") return TransactionStep::release;
  if (kind == "TRANS_STMT_ROLLBACK_TO") return TransactionStep::rollback_to;
  if (kind == "TRANS_STMT_PREPARE") return TransactionStep::prepare;
  if (kind == "TRANS_STMT_COMMIT_PREPARED") return TransactionStep::commit_prepared;
  if (kind == "TRANS_STMT_ROLLBACK_PREPARED") return TransactionStep::rollback_prepared;
  return TransactionStep::none;
}

StatementClass class_of(TransactionStep step) {
  switch (step) {
    case TransactionStep::begin:
      return StatementClass::begin;
    case TransactionStep::commit:
      return StatementClass::commit;
    case TransactionStep::rollback:
      return StatementClass::rollback;
    case TransactionStep::savepoint:
    case TransactionStep::release:
    case TransactionStep::rollback_to:
      return StatementClass::savepoint;
    case TransactionStep::prepare:
    case TransactionStep::commit_prepared:
    case TransactionStep::rollback_prepared:
      return StatementClass::two_phase;
    case TransactionStep::none:
      break;
  }
  return StatementClass::other;
}

/// What an object of DROP, COMMENT and SECURITY LABEL is, as far as it is about a relation.
enum class Naming : std::uint8_t { none, relation, part_of_relation };

Naming naming_of(std::string_view object_type) {
  for (const std::string_view relation :
       {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX",
        "OBJECT_FOREIGN_TABLE"}) {
    if (object_type == relation) return Naming::relation;
  }
  for (const std::string_view part : {"OBJECT_COLUMN", "OBJECT_TRIGGER", "OBJECT_POLICY",
                                      "OBJECT_RULE", "OBJECT_TABCONSTRAINT"}) {
    if (object_type == part) return Naming::part_of_relation;
  }
  return Naming::none;
}

std::vector<OutputColumn> output_of(const Fields& fields) {
  std::vector<OutputColumn> output;
  for (const Field& field : fields) {
    OutputColumn column{field.name, field.is_direct, field.is_star, {}};
    for (const Origin& origin : field.origins) {
      if (origin.recursion == 0) column.origins.push_back(origin.column);
    }
    output.push_back(std::move(column));
  }
  return output;
}

}  // namespace

void StatementWalker::be(StatementClass kind) {
  statement_.kind = kind;
  statement_.classes.add(kind);
}

void StatementWalker::set_output(const Fields& fields) {
  statement_.returns_rows = !fields.empty();
  statement_.output = output_of(fields);
}

void StatementWalker::walk(const json& tagged) {
  const std::string_view tag = tag_of(tagged);
  const json& tree = body_of(tagged);
  if (!walk_query(tag, tagged) && !walk_holder(tag, tree) && !walk_session(tag, tree)) {
    walk_other(tag, tree);
  }
  uses_.finish();
}

bool StatementWalker::walk_query(std::string_view tag, const json& tagged) {
  if (!QueryWalker::is_query(tagged)) return false;
  const json& tree = body_of(tagged);
  const Fields fields = queries_.query(tagged, nullptr, nullptr);
  be(tag == "SelectStmt"   ? StatementClass::select
     : tag == "InsertStmt" ? StatementClass::insert
     : tag == "UpdateStmt" ? StatementClass::update
     : tag == "DeleteStmt" ? StatementClass::delete_
                           : StatementClass::merge);
  set_output(fields);
  if (tag == "SelectStmt") {
    statement_.returns_rows = at(tree, "intoClause").is_null();
    row_limit(at(tree, "limitCount"));
  }
  return true;
}

void StatementWalker::row_limit(const json& tree) {
  const std::optional<std::string> text = constant_text(tree);
  if (!text) return;
  std::int64_t limit = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (fault == std::errc() && end == text->data() + text->size()) statement_.row_limit = limit;
}

/// Statements that hold another.
bool StatementWalker::walk_holder(std::string_view tag, const json& tree) {
  if (tag == "CopyStmt") {
    copy(tree);
  } else if (tag == "ExplainStmt") {
    explain(tree);
  } else if (tag == "PrepareStmt") {
    be(StatementClass::prepare);
    statement_.name = text_at(tree, "name");
    hold(at(tree, "query"), false);
  } else if (tag == "DeclareCursorStmt") {
    be(StatementClass::declare);
    statement_.name = text_at(tree, "portalname");
    statement_.is_held = is_held(tree);
    hold(at(tree, "query"), true);
  } else if (tag == "CreateTableAsStmt") {
    be(create);
    const json& target = at(at(tree, "into"), "rel");
    statement_.is_temporary = is_temporary(target);
    uses_.relation(relation_name(target), Access::define);
    uses_.relation(relation_name(target), Access::write);
    const json& query = at(tree, "query");
    if (QueryWalker::is_query(query)) {
      queries_.query(query, nullptr, nullptr);
    } else {  // EXECUTE
      hold(query, true);
      uses_.opaque("CREATE TABLE AS EXECUTE runs a prepared statement");
    }
  } else {
    return false;
  }
  return true;
}

/// A statement that this one runs, or will run: what it uses, this one uses.
void StatementWalker::hold(const json& inner, bool is_run) {
  Statement held;
  StatementWalker(held, budget_, literals_matter_).walk(inner);
  statement_.classes.add(held.classes);
  for (const RelationUse& use : held.relations) {
    if (use.is_read) uses_.relation(use.relation, Access::read);
    if (use.is_written) uses_.relation(use.relation, Access::write);
    if (use.is_defined) uses_.relation(use.relation, Access::define);
  }
  for (const ColumnUse& use : held.columns) {
    if (use.is_read) uses_.column(use.column, Access::read);
    if (use.is_written) uses_.column(use.column, Access::write);
  }
  for (const FunctionName& function : held.functions) uses_.function(function);
  if (held.is_opaque()) uses_.opaque(held.opaque_because);
  statement_.without_where = statement_.without_where || held.without_where;
  statement_.is_temporary = statement_.is_temporary || held.is_temporary;
  statement_.is_held = statement_.is_held || held.is_held;
  if (is_run) {
    statement_.settings.insert(statement_.settings.end(), held.settings.begin(),
                               held.settings.end());
    statement_.row_limit = held.row_limit;
  }
  statement_.inner.push_back(std::move(held));
}

void StatementWalker::explain(const json& tree) {
  be(StatementClass::explain);
  statement_.returns_rows = true;
  statement_.output = {OutputColumn{.name = "QUERY PLAN", .is_direct = false}};
  // The plan shows constants of the statement and, with ANALYZE, runs it. What it uses
  // counts in either case: EXPLAIN needs the same privileges.
  bool is_run = false;
  for (const json& tagged : at(tree, "options")) {
    const json& option = body_of(tagged);
    const json& value = at(option, "arg");
    if (!value.is_null()) literals_matter_ = true;
    if (text_at(option, "defname") == "analyze") is_run = is_true(option_text(option));
  }
  const ClassSet own = statement_.classes;
  hold(at(tree, "query"), is_run);
  if (!is_run) {
    statement_.classes = own;
    statement_.without_where = false;
  }
}

void StatementWalker::copy(const json& tree) {
  Copy copy;
  copy.is_in = flag_at(tree, "is_from");
  copy.is_program = flag_at(tree, "is_program");
  copy.is_file = !copy.is_program && !text_at(tree, "filename").empty();
  be(copy.is_in ? StatementClass::copy_in : StatementClass::copy_out);
  for (const json& tagged : at(tree, "options")) {
    const json& option = body_of(tagged);
    literals_matter_ = true;
    copy.options.emplace_back(in_lower_case(text_at(option, "defname")),
                              option_text(option).value_or(""));
  }
  statement_.copy = std::move(copy);

  if (const json& query = at(tree, "query"); !query.is_null()) {
    if (QueryWalker::is_query(query)) {
      statement_.output = output_of(queries_.query(query, nullptr, nullptr));
    } else {
      uses_.opaque("COPY of what is no query");
    }
    return;
  }
  const RelationName relation = relation_name(at(tree, "relation"));
  const Access access = statement_.copy->is_in ? Access::write : Access::read;
  uses_.relation(relation, access);
  std::vector<std::string> columns = names_at(tree, "attlist");
  const bool is_star = columns.empty();
  if (is_star) columns.emplace_back("*");
  for (const std::string& column : columns) {
    uses_.column({relation, column, true}, access);
    if (access == Access::read) {
      statement_.output.push_back(
          OutputColumn{is_star ? "" : column, true, is_star, {{relation, column, true}}});
    }
  }
  Scope scope;
  scope.sources.push_back(Source{.alias = relation.name, .relation = relation});
  queries_.expression(at(tree, "whereClause"), scope);
}

/// Statements about the session: settings, transactions, names.
bool StatementWalker::walk_session(std::string_view tag, const json& tree) {
  if (tag == "VariableSetStmt") {
    set(tree);
  } else if (tag == "VariableShowStmt") {
    be(StatementClass::show);
    statement_.name = in_lower_case(text_at(tree, "name"));
    statement_.returns_rows = true;
    statement_.output = {OutputColumn{.name = statement_.name, .is_direct = false}};
  } else if (tag == "TransactionStmt") {
    transaction(tree);
  } else if (tag == "ExecuteStmt") {
    be(StatementClass::execute);
    statement_.name = text_at(tree, "name");
    queries_.expression(at(tree, "params"), Scope{});
  } else if (tag == "DeallocateStmt") {
    be(StatementClass::deallocate);
    statement_.name = text_at(tree, "name");
  } else if (tag == "FetchStmt") {
    be(StatementClass::fetch);
    statement_.name = text_at(tree, "portalname");
    statement_.returns_rows = !flag_at(tree, "ismove");
    const json& count = at(tree, "howMany");
    constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
    if (count.is_number_integer() && count.get<std::int64_t>() != all) {
      statement_.row_limit = count.get<std::int64_t>();
    }
  } else if (tag == "ClosePortalStmt") {
    be(StatementClass::close);
    statement_.name = text_at(tree, "portalname");
  } else if (tag == "NotifyStmt" || tag == "ListenStmt" || tag == "UnlistenStmt") {
    be(tag == "NotifyStmt"   ? StatementClass::notify
       : tag == "ListenStmt" ? StatementClass::listen
                             : StatementClass::unlisten);
    statement_.name = text_at(tree, "conditionname");
  } else if (tag == "CallStmt") {
    call(tree);
  } else {
    return false;
  }
  return true;
}

void StatementWalker::set(const json& tree) {
  const std::string kind = text_at(tree, "kind");
  const bool is_reset = kind == "VAR_RESET" || kind == "VAR_RESET_ALL";
  be(is_reset ? StatementClass::reset : StatementClass::set);
  literals_matter_ = true;
  Setting setting{.name = in_lower_case(text_at(tree, "name")),
                  .value = std::nullopt,
                  .is_local = flag_at(tree, "is_local")};
  if (kind == "VAR_SET_MULTI" && setting.name != "transaction snapshot") {
    // SET TRANSACTION is over with it, SET SESSION CHARACTERISTICS is what follows it.
    const bool is_transaction = setting.name == "transaction";
    for (const json& tagged : at(tree, "args")) {
      const json& option = body_of(tagged);
      setting.name = fmt::format("{}{}", is_transaction ? "" : "default_",
                                 in_lower_case(text_at(option, "defname")));
      setting.value = option_text(option);
      setting.is_local = is_transaction;
      statement_.settings.push_back(setting);
    }
    return;
  }
  if (kind == "VAR_SET_CURRENT") {  // SET x FROM CURRENT
    setting.is_known = false;
  } else if (kind == "VAR_SET_VALUE" || kind == "VAR_SET_MULTI") {
    std::string value;
    for (const json& argument : at(tree, "args")) {
      const std::optional<std::string> part = constant_text(argument);
      // A cast one is an interval of SET TIME ZONE.
      setting.is_known = setting.is_known && part && tag_of(argument) == "A_Const";
      if (!value.empty()) value += ", ";
      value += part.value_or("");
    }
    setting.value = std::move(value);
  }
  statement_.settings.push_back(std::move(setting));
}

void StatementWalker::transaction(const json& tree) {
  statement_.transaction = step_of(text_at(tree, "kind"));
  be(class_of(statement_.transaction));
  statement_.is_chained = flag_at(tree, "chain");
  statement_.name = text_at(tree, "savepoint_name");
  for (const json& tagged : at(tree, "options")) {
    const json& option = body_of(tagged);
    statement_.settings.push_back(Setting{.name = in_lower_case(text_at(option, "defname")),
                                          .value = option_text(option),
                                          .is_local = true});
  }
}

void StatementWalker::call(const json& tree) {
  be(StatementClass::call);
  const json& function = at(tree, "funccall");
  const RelationName name = name_of(names_at(function, "funcname"));
  uses_.function({name.schema, name.name});
  queries_.expression(at(function, "args"), Scope{});
  statement_.returns_rows = true;  // One row, where the procedure has OUT arguments.
  statement_.output = {OutputColumn{.is_direct = false, .is_star = true}};
  uses_.opaque("CALL runs a procedure");
}

void StatementWalker::walk_other(std::string_view tag, const json& tree) {
  if (const std::string_view why = hidden_by(tag); !why.empty()) {
    be(hidden_class(tag));
    uses_.opaque(why);
  } else if (tag == "GrantStmt" || tag == "GrantRoleStmt") {
    be(flag_at(tree, "is_grant") ? StatementClass::grant : StatementClass::revoke);
  } else if (tag == "VacuumStmt") {
    be(flag_at(tree, "is_vacuumcmd") ? StatementClass::vacuum : StatementClass::analyze);
  } else {
    const auto plain = std::find_if(plain_statements.begin(), plain_statements.end(),
                                    [&](const Plain& candidate) { return candidate.tag == tag; });
    if (plain == plain_statements.end()) {
      be(StatementClass::other);
      uses_.opaque(fmt::format("{} is not known", tag.empty() ? "this statement" : tag));
    } else {
      be(plain->kind);
    }
  }
  if (tag == "AlterDefaultPrivilegesStmt" && !flag_at(at(tree, "action"), "is_grant")) {
    be(StatementClass::revoke);
  }
  dropped_names(tree);
  statement_.is_temporary = is_temporary(tree);

  // Conditions and defaults in definitions are about the relation that is defined.
  Scope scope;
  for (const std::string_view key : {"relation", "table", "view", "base"}) {
    const json& named = key == "base" ? at(at(tree, key), "relation") : at(tree, key);
    if (named.is_null()) continue;
    const RelationName relation = relation_name(named);
    scope.sources.push_back(Source{.alias = relation.name, .relation = relation});
    if (tag != "RuleStmt" && tag != "CreateTrigStmt") continue;
    scope.sources.push_back(Source{.alias = "new", .relation = relation});
    scope.sources.push_back(Source{.alias = "old", .relation = relation});
  }
  const bool writes = tag == "TruncateStmt" || tag == "RefreshMatViewStmt";
  generic(tree, writes ? Access::write : Access::define, scope);
}

/// DROP, COMMENT and SECURITY LABEL name their objects by lists of strings.
void StatementWalker::dropped_names(const json& tree) {
  const std::string removed = text_at(tree, "removeType");
  const Naming naming = naming_of(removed.empty() ? text_at(tree, "objtype") : removed);
  if (naming == Naming::none) return;
  const auto name = [&](const json& object) {
    if (tag_of(object) != "List") return;
    std::vector<std::string> parts = names_at(body_of(object), "items");
    if (naming == Naming::part_of_relation && parts.size() > 1) parts.pop_back();
    if (!parts.empty()) uses_.relation(name_of(std::move(parts)), Access::define);
  };
  for (const json& object : at(tree, "objects")) name(object);
  name(at(tree, "object"));
}

/// Everything in a definition: relations by their look, queries and expressions by their tag.
void StatementWalker::generic(const json& tree, Access access, const Scope& scope) {
  if (!tree.is_structured()) return;
  budget_.spend(1);
  if (tree.is_object() && tree.contains("relname") && tree.contains("relpersistence")) {
    return uses_.relation(relation_name(tree), access);
  }
  if (QueryWalker::is_query(tree)) {
    queries_.query(tree, scope.sources.empty() ? nullptr : &scope, nullptr);
    return;
  }
  const std::string_view tag = tag_of(tree);
  if (tag == "FuncCall" || tag == "ColumnRef" || tag == "SubLink" || tag == "A_Expr" ||
      tag == "TypeCast") {
    queries_.expression(tree, scope);
    return;
  }
  if (tag == "NotifyStmt") return;  // Of a rule.
  for (const json& child : tree) generic(child, access, scope);
}

}  // namespace sluice::sql
