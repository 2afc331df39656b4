// An analysis in one line, for tables of expectations.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sql/analysis.h"

namespace sluice::sql::testing {

/// "select: customers(r) | customers/ssn | lower() | ssn=customers/ssn, lower~customers/ssn |
/// flags"
inline std::string described(const Statement& statement);

inline std::string described(const RelationName& name) {
  return name.schema.empty() ? name.name : fmt::format("{}.{}", name.schema, name.name);
}

inline std::string described(const Column& column) {
  return fmt::format("{}/{}{}", described(column.relation), column.column,
                     column.is_certain ? "" : "?");
}

inline std::string described(const OutputColumn& column) {
  std::vector<std::string> origins;
  for (const Column& origin : column.origins) origins.push_back(described(origin));
  return fmt::format("{}{}{}", column.is_star ? "*" : column.name, column.is_direct ? "=" : "~",
                     fmt::join(origins, ","));
}

inline std::string flags_of(const Statement& statement) {
  std::string line;
  const auto out = std::back_inserter(line);
  if (statement.is_opaque()) fmt::format_to(out, " opaque");
  if (statement.without_where) fmt::format_to(out, " without_where");
  if (statement.row_limit) fmt::format_to(out, " limit={}", *statement.row_limit);
  if (statement.is_chained) fmt::format_to(out, " chain");
  if (!statement.name.empty()) fmt::format_to(out, " name={}", statement.name);
  if (statement.copy) {
    const Copy& copy = *statement.copy;
    fmt::format_to(out, "{}{}", copy.is_program ? " program" : "", copy.is_file ? " file" : "");
    for (const auto& [name, value] : copy.options) fmt::format_to(out, " {}:{}", name, value);
  }
  for (const Setting& setting : statement.settings) {
    fmt::format_to(out, " {}{}:={}", setting.is_local ? "local " : "", setting.name,
                   setting.is_known ? setting.value.value_or("default") : "unknown");
  }
  for (const Statement& inner : statement.inner) {
    fmt::format_to(out, " {{{}}}", described(inner));
  }
  return line;
}

inline std::string described(const Statement& statement) {
  std::string line(text(statement.kind));
  const auto out = std::back_inserter(line);
  for (std::size_t i = 0; i < statement_classes; ++i) {
    const auto one = static_cast<StatementClass>(i);
    if (one != statement.kind && statement.classes.has(one)) fmt::format_to(out, "+{}", text(one));
  }
  fmt::format_to(out, ":");
  for (const RelationUse& use : statement.relations) {
    fmt::format_to(out, " {}({}{}{})", described(use.relation), use.is_read ? "r" : "",
                   use.is_written ? "w" : "", use.is_defined ? "d" : "");
  }
  fmt::format_to(out, " |");
  for (const ColumnUse& use : statement.columns) {
    const std::string_view access = !use.is_written ? "" : use.is_read ? "(rw)" : "(w)";
    fmt::format_to(out, " {}{}", described(use.column), access);
  }
  fmt::format_to(out, " |");
  for (const FunctionName& function : statement.functions) {
    fmt::format_to(out, " {}()", described(RelationName{function.schema, function.name}));
  }
  fmt::format_to(out, " |");
  for (const OutputColumn& column : statement.output) fmt::format_to(out, " {}", described(column));
  fmt::format_to(out, " |{}", flags_of(statement));
  return line;
}

/// Every statement, one line each; or the error.
inline std::string described(const Result<Analysis>& analysis) {
  if (!analysis) return fmt::format("error: {}", analysis.error().message);
  std::vector<std::string> lines;
  for (const Statement& statement : analysis->statements) lines.push_back(described(statement));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace sluice::sql::testing
