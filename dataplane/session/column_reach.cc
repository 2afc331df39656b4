#include "dataplane/session/column_reach.h"

#include <string>

namespace sluice::dataplane {
namespace {

void add_derived(const sql::Statement& statement, const ColumnCatalog& catalog,
                 matcher::RuleSet& rules) {
  for (const sql::OutputColumn& output : statement.output) {
    if (!output.is_direct) rules |= catalog.rules_of(output).rules;
  }
}

}  // namespace

ReachedRules reached_rules(const StatementInfo& info, const ColumnCatalog& catalog) {
  ReachedRules rules;
  for (const sql::Statement& statement : info.analysis.statements) {
    for (const sql::ColumnUse& use : statement.columns) {
      if (!use.is_read) continue;
      const matcher::RuleSet of_column = catalog.rules_of(use.column).rules;
      rules.read |= of_column;
      if (!use.is_only_returned) rules.kept |= of_column;
    }
    add_derived(statement, catalog, rules.derived);
    for (const sql::Statement& inner : statement.inner) add_derived(inner, catalog, rules.derived);
  }
  rules.touched = rules.read;
  for (const config::SqlFacts& facts : info.facts) {
    for (const config::SqlName& relation : facts.relations) {
      const sql::Column all{{std::string(relation.schema), std::string(relation.name)}, "*", true};
      rules.touched |= catalog.rules_of(all).rules;
    }
  }
  return rules;
}

const ReachedRules& ColumnReach::of(const std::shared_ptr<const StatementInfo>& info,
                                    const std::shared_ptr<const ColumnCatalog>& catalog) {
  for (const Entry& entry : entries_) {
    if (entry.info == info && entry.catalog == catalog) return entry.rules;
  }
  Entry& entry = entries_[oldest_++ % entries_.size()];
  entry = {info, catalog, catalog == nullptr ? ReachedRules{} : reached_rules(*info, *catalog)};
  return entry.rules;
}

}  // namespace sluice::dataplane
