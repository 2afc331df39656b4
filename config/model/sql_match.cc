#include "config/model/sql_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "config/model/star_pattern.h"

namespace sluice::config {
namespace {

/// A class's bit is its place. The words are those of sql/ (tests/cli compares them), and
/// one for what is asked of a replication connection, which is no SQL.
constexpr auto class_words = std::to_array<std::string_view>(
    {"select",    "insert",  "update",     "delete",     "merge",   "truncate",   "copy_in",
     "copy_out",  "create",  "alter",      "drop",       "comment", "grant",      "revoke",
     "set",       "reset",   "show",       "begin",      "commit",  "rollback",   "savepoint",
     "two_phase", "prepare", "execute",    "deallocate", "declare", "fetch",      "close",
     "explain",   "call",    "do",         "listen",     "notify",  "unlisten",   "lock",
     "vacuum",    "analyze", "cluster",    "reindex",    "refresh", "checkpoint", "discard",
     "load",      "other",   "replication"});
static_assert(class_words.size() <= 64);

constexpr std::string_view transaction_word = "transaction";

constexpr SqlClasses bit_of(std::string_view word) noexcept {
  const auto place = std::find(class_words.begin(), class_words.end(), word);
  return place == class_words.end() ? 0 : SqlClasses{1} << (place - class_words.begin());
}

constexpr SqlClasses transaction_classes =
    bit_of("begin") | bit_of("commit") | bit_of("rollback") | bit_of("savepoint");

/// What an allow rule with an `sql` section covers only when it lists it.
constexpr SqlClasses classes_to_list = bit_of("replication");

/// Functions of the server that reach beyond the relations a statement names: files,
/// other servers, statements in texts, settings, other sessions. An allow rule covers
/// them only when it names them.
constexpr auto reaching_functions = std::to_array<std::string_view>({"pg_read_file*",
                                                                     "pg_read_binary_file*",
                                                                     "pg_ls_*",
                                                                     "pg_stat_file",
                                                                     "pg_file_*",
                                                                     "lo_*",
                                                                     "loread",
                                                                     "lowrite",
                                                                     "dblink*",
                                                                     "query_to_xml*",
                                                                     "cursor_to_xml*",
                                                                     "table_to_xml*",
                                                                     "schema_to_xml*",
                                                                     "database_to_xml*",
                                                                     "set_config",
                                                                     "pg_terminate_backend",
                                                                     "pg_cancel_backend",
                                                                     "pg_reload_conf",
                                                                     "pg_rotate_logfile*",
                                                                     "pg_switch_wal",
                                                                     "pg_promote",
                                                                     "pg_create_*",
                                                                     "pg_drop_*",
                                                                     "pg_copy_*",
                                                                     "pg_logical_*",
                                                                     "pg_replication_*",
                                                                     "pg_wal_*",
                                                                     "pg_backup_*",
                                                                     "pg_export_snapshot",
                                                                     "pg_import_*",
                                                                     "pg_log_*",
                                                                     "pg_hba_*",
                                                                     "pg_show_all_*",
                                                                     "crosstab*",
                                                                     "connectby",
                                                                     "ts_stat",
                                                                     "ts_rewrite",
                                                                     "xpath_table",
                                                                     "pg_execute_*"});

/// '*' stands for any run.
bool matches(std::string_view glob, std::string_view text, bool ignores_case) noexcept {
  return matches_stars(glob, text, [ignores_case](char a, char b) {
    return a == b || (ignores_case && lower_of(a) == lower_of(b));
  });
}

enum class NameKind : std::uint8_t { relation, function };

/// Whether a name without a schema can only mean one in a schema that `glob` names.
bool resolves_within(std::string_view glob, const SqlAction& action, const SqlName& name,
                     NameKind kind) noexcept {
  if (action.search_path.empty()) return false;
  const bool may_be_system = kind == NameKind::function || name.name.starts_with("pg_");
  if (may_be_system && !matches(glob, "pg_catalog", false)) return false;
  return std::ranges::all_of(action.search_path,
                             [&](std::string_view schema) { return matches(glob, schema, false); });
}

}  // namespace

std::optional<SqlClasses> sql_classes(std::string_view word) noexcept {
  if (word == transaction_word) return transaction_classes;
  const SqlClasses bit = bit_of(word);
  if (bit == 0) return std::nullopt;
  return bit;
}

std::span<const std::string_view> sql_class_words() noexcept {
  return class_words;
}

std::optional<std::string> sql_class_fault(std::string_view text) {
  if (sql_classes(text)) return std::nullopt;
  return fmt::format("no class of statements '{}'; there are: {}, {}", text, transaction_word,
                     fmt::join(class_words, ", "));
}

std::optional<std::string> sql_name_fault(std::string_view text) {
  const auto dots = std::ranges::count(text, '.');
  const bool is_good = !text.empty() && text.size() <= 128 && dots <= 1 && text.front() != '.' &&
                       text.back() != '.' && text.find_first_of(" \"'();") == text.npos;
  if (is_good) return std::nullopt;
  return fmt::format("'{}' is not a name like 'orders' or 'public.orders'", text);
}

std::optional<std::string> sql_column_fault(std::string_view text) {
  const auto dots = std::ranges::count(text, '.');
  const bool is_good = !text.empty() && text.size() <= 192 && dots >= 1 && dots <= 2 &&
                       text.front() != '.' && text.back() != '.' && text.find("..") == text.npos &&
                       text.find_first_of(" \"'();%") == text.npos;
  if (is_good) return std::nullopt;
  return fmt::format("'{}' is not a column like 'customers.ssn' or 'public.customers.ssn'", text);
}

bool matches_sql_name(std::string_view glob, std::string_view name) noexcept {
  return matches(glob, name, true);
}

bool is_reaching_function(std::string_view name) noexcept {
  return std::ranges::any_of(reaching_functions,
                             [&](std::string_view glob) { return matches(glob, name, true); });
}

SqlCondition::SqlCondition(const SqlMatch& match, RulingKind ruling,
                           std::vector<std::uint32_t> patterns)
    : is_allow_(ruling == RulingKind::allow),
      without_where_(match.without_where),
      multi_(match.multi),
      unparsed_(match.unparsed),
      relations_(compiled(match.relations)),
      functions_(compiled(match.functions)),
      patterns_(std::move(patterns)) {
  for (const std::string& word : match.classes) classes_ |= sql_classes(word).value_or(0);
  for (const std::string& column : match.columns) {
    const std::size_t dot = column.rfind('.');
    columns_.push_back({compiled(std::string_view(column).substr(0, dot)), column.substr(dot + 1)});
  }
}

SqlCondition::NamePattern SqlCondition::compiled(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return {"", std::string(name)};
  return {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
}

std::vector<SqlCondition::NamePattern> SqlCondition::compiled(
    const std::vector<std::string>& names) {
  std::vector<NamePattern> patterns;
  for (const std::string& name : names) patterns.push_back(compiled(std::string_view(name)));
  return patterns;
}

bool SqlCondition::applies(const SqlAction& action, const SqlFacts& facts) const noexcept {
  // Data of COPY may hold whatever a rule that does not allow looks for.
  const bool is_found = has_pattern(action) || (facts.takes_data && !is_allow_);
  if (unparsed_ || (multi_ && action.statements.size() < 2) || !is_found) return false;
  return is_allow_ ? covers(action, facts) : touches(action, facts);
}

/// Of a text that is not understood nothing is known, so it may do whatever a deny
/// rule is about.
bool SqlCondition::applies_unparsed(const SqlAction& action) const noexcept {
  return has_pattern(action) && (unparsed_ || !is_allow_);
}

bool SqlCondition::has_pattern(const SqlAction& action) const noexcept {
  return patterns_.empty() || std::ranges::any_of(patterns_, [&](std::uint32_t pattern) {
           return std::ranges::binary_search(action.pattern_hits, pattern) ||
                  (!is_allow_ && std::ranges::binary_search(action.parameter_hits, pattern));
         });
}

bool SqlCondition::is_within(const NamePattern& pattern, const SqlAction& action,
                             const SqlName& name, bool is_function) noexcept {
  if (!matches(pattern.name, name.name, false)) return false;
  if (pattern.schema.empty()) return true;
  if (!name.schema.empty()) return matches(pattern.schema, name.schema, false);
  return resolves_within(pattern.schema, action, name,
                         is_function ? NameKind::function : NameKind::relation);
}

bool SqlCondition::may_name(const NamePattern& pattern, const SqlName& name) noexcept {
  return matches(pattern.name, name.name, true) && (pattern.schema.empty() || name.schema.empty() ||
                                                    matches(pattern.schema, name.schema, true));
}

/// "*" is covered by "*" alone.
bool SqlCondition::covers_column(const SqlAction& action, const SqlColumn& column) const noexcept {
  return std::ranges::any_of(columns_, [&](const ColumnPattern& pattern) {
    return !column.relation.name.empty() &&
           is_within(pattern.relation, action, column.relation, false) &&
           (column.name.empty() || matches(pattern.name, column.name, false));
  });
}

bool SqlCondition::touches_column(const SqlColumn& column) const noexcept {
  return std::ranges::any_of(columns_, [&](const ColumnPattern& pattern) {
    return (column.relation.name.empty() || may_name(pattern.relation, column.relation)) &&
           (column.name == "*" || matches(pattern.name, column.name, true));
  });
}

/// For allow: nothing that the statement does lies outside of what is named.
bool SqlCondition::covers(const SqlAction& action, const SqlFacts& facts) const noexcept {
  const auto is_named = [&](const std::vector<NamePattern>& patterns, const SqlName& name,
                            bool is_function) {
    return std::ranges::any_of(patterns, [&](const NamePattern& pattern) {
      return is_within(pattern, action, name, is_function);
    });
  };
  if (without_where_ && !facts.without_where) return false;
  const SqlClasses unlisted = facts.classes & ~classes_;
  if ((classes_ == 0 ? unlisted & classes_to_list : unlisted) != 0) return false;
  const bool names_something = !relations_.empty() || !columns_.empty() || !functions_.empty();
  if (facts.is_opaque && names_something) return false;
  for (const SqlName& relation : facts.relations) {
    if (!relations_.empty() && !is_named(relations_, relation, false)) return false;
  }
  for (const SqlColumn& column : facts.columns) {
    if (!columns_.empty() && !covers_column(action, column)) return false;
  }
  return std::ranges::all_of(facts.functions, [&](const SqlName& function) {
    return functions_.empty() ? !is_reaching_function(function.name)
                              : is_named(functions_, function, true);
  });
}

/// For deny and hold: something that the statement does is named. What a statement
/// does not show may be anything.
bool SqlCondition::touches(const SqlAction& /*action*/, const SqlFacts& facts) const noexcept {
  if (facts.is_opaque) return true;
  const auto names_one = [](const std::vector<NamePattern>& patterns,
                            std::span<const SqlName> names) {
    return patterns.empty() || std::ranges::any_of(names, [&](const SqlName& name) {
             return std::ranges::any_of(
                 patterns, [&](const NamePattern& pattern) { return may_name(pattern, name); });
           });
  };
  return (!without_where_ || facts.without_where) &&
         (classes_ == 0 || (facts.classes & classes_) != 0) &&
         names_one(relations_, facts.relations) && names_one(functions_, facts.functions) &&
         (columns_.empty() || std::ranges::any_of(facts.columns, [&](const SqlColumn& column) {
            return touches_column(column);
          }));
}

}  // namespace sluice::config
