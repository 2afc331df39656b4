// The SQL conditions of a rule, and how a statement is held against them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/settings.h"

namespace sluice::config {

/// Bit per class of statement.
using SqlClasses = std::uint64_t;

/// The classes that a word of a rule stands for: one, or all of a kind
/// ("transaction"). Nothing: no such word.
std::optional<SqlClasses> sql_classes(std::string_view word) noexcept;
/// All words of classes.
std::span<const std::string_view> sql_class_words() noexcept;

/// What keeps `text` from being a class, or a name as a rule writes it.
std::optional<std::string> sql_class_fault(std::string_view text);
std::optional<std::string> sql_name_fault(std::string_view text);
std::optional<std::string> sql_column_fault(std::string_view text);

/// Whether a name is one that `glob` stands for: '*' is any run, case does not count.
bool matches_sql_name(std::string_view glob, std::string_view name) noexcept;
/// Whether a function reaches beyond the relations that a statement names: files, other
/// servers, statements in texts, settings, other sessions.
bool is_reaching_function(std::string_view name) noexcept;

/// A relation or function as a statement names it, folded as the server folds it.
struct SqlName {
  std::string_view schema;  ///< Empty when the statement gives none.
  std::string_view name;
};

/// A column that a statement reads or writes.
struct SqlColumn {
  SqlName relation;  ///< No name: it may be any.
  /// "*": any or all of the relation's. Empty: none, but what is read tells of the relation.
  std::string_view name;
};

/// What one statement does.
struct SqlFacts {
  SqlClasses classes = 0;
  std::span<const SqlName> relations;
  std::span<const SqlColumn> columns;
  std::span<const SqlName> functions;
  bool without_where = false;
  bool is_opaque = false;   ///< It runs what its text does not show.
  bool takes_data = false;  ///< COPY … FROM the client: what comes is not looked through.
};

/// What policy needs to know of one text.
struct SqlAction {
  bool is_parsed = false;
  std::span<const SqlFacts> statements = {};
  /// Schemas in which the server looks for a name without one; empty when unknown.
  std::span<const std::string_view> search_path = {};
  std::span<const std::uint32_t> pattern_hits = {};  ///< Ascending, into sql_patterns().
  /// Likewise, in parameters. They match no rule that allows: who sends them could choose
  /// them so that one does.
  std::span<const std::uint32_t> parameter_hits = {};
};

/// A rule's SqlMatch, compiled.
class SqlCondition {
 public:
  /// patterns  of `match`, as indices into the policy's list.
  SqlCondition(const SqlMatch& match, RulingKind ruling, std::vector<std::uint32_t> patterns);

  /// Whether the rule is about this statement of the text.
  [[nodiscard]] bool applies(const SqlAction& action, const SqlFacts& facts) const noexcept;
  /// Whether the rule is about a text that is not understood.
  [[nodiscard]] bool applies_unparsed(const SqlAction& action) const noexcept;
  /// Whether what a parameter says may make the rule apply.
  [[nodiscard]] bool looks_at_parameters() const noexcept {
    return !is_allow_ && !patterns_.empty();
  }

 private:
  struct NamePattern {
    std::string schema;  ///< Empty: any.
    std::string name;
  };
  struct ColumnPattern {
    NamePattern relation;
    std::string name;
  };
  static NamePattern compiled(std::string_view name);
  static std::vector<NamePattern> compiled(const std::vector<std::string>& names);
  [[nodiscard]] bool has_pattern(const SqlAction& action) const noexcept;
  [[nodiscard]] static bool is_within(const NamePattern& pattern, const SqlAction& action,
                                      const SqlName& name, bool is_function) noexcept;
  [[nodiscard]] static bool may_name(const NamePattern& pattern, const SqlName& name) noexcept;
  [[nodiscard]] bool covers_column(const SqlAction& action, const SqlColumn& column) const noexcept;
  [[nodiscard]] bool touches_column(const SqlColumn& column) const noexcept;
  [[nodiscard]] bool covers(const SqlAction& action, const SqlFacts& facts) const noexcept;
  [[nodiscard]] bool touches(const SqlAction& action, const SqlFacts& facts) const noexcept;

  bool is_allow_ = false;
  bool without_where_ = false;
  bool multi_ = false;
  bool unparsed_ = false;
  SqlClasses classes_ = 0;  ///< 0: any.
  std::vector<NamePattern> relations_;
  std::vector<ColumnPattern> columns_;
  std::vector<NamePattern> functions_;
  std::vector<std::uint32_t> patterns_;
};

}  // namespace sluice::config
