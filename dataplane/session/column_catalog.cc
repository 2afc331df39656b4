#include "dataplane/session/column_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "config/model/sql_match.h"

namespace sluice::dataplane {
namespace {

/// Views upon views upon …; what is still found then is deeper than people build.
constexpr int rounds_max = 32;

/// A glob as an SQL literal for ILIKE.
std::string like_literal(std::string_view glob) {
  std::string text = "'";
  for (const char c : glob) {
    if (c == '*') {
      text += '%';
      continue;
    }
    if (c == '%' || c == '_' || c == '\\') text += '\\';
    if (c == '\'') text += '\'';
    text += c;
  }
  return text + "'";
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::ranges::equal(a, b, [](char x, char y) { return lower_of(x) == lower_of(y); });
}

}  // namespace

std::string ColumnCatalog::query(std::span<const ColumnMask> masks) {
  std::string named = "false";
  for (const ColumnMask& mask : masks) {
    named += fmt::format(" OR (n.nspname ILIKE {} AND r.relname ILIKE {} AND ra.attname ILIKE {})",
                         like_literal(mask.schema.empty() ? "*" : mask.schema),
                         like_literal(mask.relation), like_literal(mask.column));
  }
  // What a heir inherits keeps its name there, but may stand at another place. The
  // definition of a view is asked for with names in full.
  return fmt::format(
      "WITH RECURSIVE heir(oid, root) AS ("
      " SELECT c.oid, c.oid FROM pg_catalog.pg_class c"
      " UNION SELECT i.inhrelid, heir.root FROM heir"
      " JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) heir.oid)"
      " SELECT 'c', heir.oid::pg_catalog.text, a.attnum::pg_catalog.text,"
      " hn.nspname::pg_catalog.text, h.relname::pg_catalog.text, a.attname::pg_catalog.text,"
      " n.nspname::pg_catalog.text, r.relname::pg_catalog.text"
      " FROM heir"
      " JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) heir.root"
      " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace"
      " JOIN pg_catalog.pg_attribute ra ON ra.attrelid OPERATOR(pg_catalog.=) r.oid"
      " JOIN pg_catalog.pg_class h ON h.oid OPERATOR(pg_catalog.=) heir.oid"
      " JOIN pg_catalog.pg_namespace hn ON hn.oid OPERATOR(pg_catalog.=) h.relnamespace"
      " JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) heir.oid"
      " AND a.attname OPERATOR(pg_catalog.=) ra.attname"
      " WHERE r.relkind IN ('r','p','v','m','f') AND ra.attnum OPERATOR(pg_catalog.<>) 0"
      " AND ({})"
      " UNION ALL SELECT 'r', c.oid::pg_catalog.text, '', '', '', '', '', ''"
      " FROM pg_catalog.pg_class c"
      " UNION ALL SELECT 'v', c.oid::pg_catalog.text, '', n.nspname::pg_catalog.text,"
      " c.relname::pg_catalog.text, pg_catalog.pg_get_viewdef(c.oid), '', ''"
      " FROM pg_catalog.pg_class c"
      " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
      " WHERE c.relkind IN ('v','m') AND n.nspname NOT IN ('pg_catalog','information_schema')",
      named);
}

bool ColumnCatalog::add(const postgres::Values& row) {
  std::array<std::string_view, 8> values;
  if (row.size() != values.size()) return false;
  std::size_t i = 0;
  for (const postgres::Value& value : row) {
    if (value) values[i] = as_text(*value);
    ++i;
  }
  const auto relation = number_of<postgres::Oid>(values[1]);
  if (!relation || values[0].size() != 1) return false;
  switch (values[0][0]) {
    case 'r':
      relations_.insert(*relation);
      return true;
    case 'v':
      views_.push_back(
          {*relation, std::string(values[3]), std::string(values[4]), std::string(values[5])});
      return true;
    case 'c': {
      const auto number = number_of<std::int16_t>(values[2]);
      if (!number) return false;
      Column column{*relation,
                    *number,
                    std::string(values[3]),
                    std::string(values[4]),
                    std::string(values[5]),
                    {}};
      // Of the relation that the mask names; finish() sees which one that is.
      roots_.push_back({std::string(values[6]), std::string(values[7])});
      columns_.push_back(std::move(column));
      return true;
    }
    default:
      return false;
  }
}

void ColumnCatalog::finish(std::span<const ColumnMask> masks) {
  masks_.assign(masks.begin(), masks.end());
  std::vector<Column> named = std::exchange(columns_, {});
  for (std::size_t i = 0; i < named.size(); ++i) {
    for (const ColumnMask& mask : masks) {
      if ((mask.schema.empty() || config::matches_sql_name(mask.schema, roots_[i].schema)) &&
          config::matches_sql_name(mask.relation, roots_[i].relation) &&
          config::matches_sql_name(mask.column, named[i].name)) {
        named[i].rules.rules.set(mask.rule);
      }
    }
    add(std::move(named[i]));
  }
  roots_ = {};
  bool found = true;
  for (int round = 0; found && round < rounds_max; ++round) {
    found = false;
    for (const View& view : views_) found = add_columns_of(view) || found;
  }
  views_ = {};
}

/// False when nothing is new.
bool ColumnCatalog::add_columns_of(const View& view) {
  const std::string definition = in_lower_case(view.definition);
  const bool mentions_one = std::ranges::any_of(columns_, [&](const Column& column) {
    return definition.find(in_lower_case(column.relation_name)) != std::string::npos;
  });
  if (!mentions_one) return false;
  const auto analysis = sql::analyse(view.definition);
  if (!analysis || analysis->statements.size() != 1) {
    return add({view.relation, 0, view.schema, view.name, "*", {all_rules(), true}});
  }
  bool found = false;
  std::int16_t number = 0;
  for (const sql::OutputColumn& output : analysis->statements[0].output) {
    ++number;
    const ColumnRules rules = rules_of(output);
    if (rules.rules.none()) continue;
    // A star that is left says nothing about places.
    found = add({view.relation, output.is_star ? std::int16_t{0} : number, view.schema, view.name,
                 output.is_star ? "*" : output.name, rules}) ||
            found;
  }
  return found;
}

/// False when it was known with these rules already.
bool ColumnCatalog::add(Column column) {
  const auto [begin, end] = by_relation_.equal_range(column.relation);
  for (auto entry = begin; entry != end; ++entry) {
    Column& known = columns_[entry->second];
    if (known.number != column.number) continue;
    const bool is_news = (column.rules.rules & ~known.rules.rules).any() ||
                         (column.rules.is_derived && !known.rules.is_derived);
    known.rules.add(column.rules);
    return is_news;
  }
  by_relation_.emplace(column.relation, columns_.size());
  columns_.push_back(std::move(column));
  return true;
}

std::optional<ColumnRules> ColumnCatalog::rules_of(postgres::Oid relation,
                                                   std::int16_t column) const {
  if (!relations_.contains(relation)) return std::nullopt;
  ColumnRules rules;
  const auto [begin, end] = by_relation_.equal_range(relation);
  for (auto entry = begin; entry != end; ++entry) {
    const Column& known = columns_[entry->second];
    if (known.number == 0 || known.number == column || column == 0) rules.add(known.rules);
  }
  rules.is_derived = rules.is_derived || column == 0;
  return rules;
}

ColumnRules ColumnCatalog::rules_of(const sql::Column& column) const {
  ColumnRules rules;
  for (const Column& known : columns_) {
    const bool is_same_relation =
        column.relation.name.empty() ||
        (same_name(known.relation_name, column.relation.name) &&
         (column.relation.schema.empty() || same_name(known.schema, column.relation.schema)));
    const bool is_same_column =
        column.column == "*" || known.number == 0 || same_name(known.name, column.column);
    if (is_same_relation && is_same_column) rules.add(known.rules);
  }
  for (const ColumnMask& mask : masks_) {
    const bool is_same_relation = column.relation.name.empty() ||
                                  (config::matches_sql_name(mask.relation, column.relation.name) &&
                                   (mask.schema.empty() || column.relation.schema.empty() ||
                                    config::matches_sql_name(mask.schema, column.relation.schema)));
    const bool is_same_column =
        column.column == "*" || config::matches_sql_name(mask.column, column.column);
    if (is_same_relation && is_same_column) rules.rules.set(mask.rule);
  }
  rules.is_derived = rules.is_derived || column.column == "*";
  return rules;
}

ColumnRules ColumnCatalog::rules_of(const sql::OutputColumn& output) const {
  ColumnRules rules;
  for (const sql::Column& origin : output.origins) rules.add(rules_of(origin));
  rules.is_derived = rules.is_derived || !output.is_direct || output.is_star;
  return rules;
}

matcher::RuleSet ColumnCatalog::all_rules() const noexcept {
  matcher::RuleSet rules;
  for (const Column& known : columns_) rules |= known.rules.rules;
  return rules;
}

std::shared_ptr<const ColumnCatalog> CatalogCache::find(const Key& key, Instant now) const {
  for (const Entry& entry : entries_) {
    if (entry.key == key && now < entry.asked + lifetime) return entry.catalog;
  }
  return nullptr;
}

void CatalogCache::put(Key key, std::shared_ptr<const ColumnCatalog> catalog, Instant now) {
  forget(key);
  if (entries_.size() == entries_max) entries_.erase(entries_.begin());
  entries_.push_back({std::move(key), std::move(catalog), now});
}

void CatalogCache::forget(const Key& key) {
  std::erase_if(entries_, [&key](const Entry& entry) { return entry.key == key; });
}

}  // namespace sluice::dataplane
