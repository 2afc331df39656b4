// What statements reach of masked columns.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "dataplane/session/column_catalog.h"
#include "dataplane/session/statement_judge.h"

namespace sluice::dataplane {

/// Masks' rules, by the columns they are for.
struct ReachedRules {
  matcher::RuleSet read;  ///< Of all columns that the text may read.
  /// Of those whose values may stay at the target, where they could be read from again.
  matcher::RuleSet kept;
  matcher::RuleSet derived;  ///< Of those that it computes something from and returns.
  /// Of all columns of the relations that it names, whatever it does there: the
  /// server's messages quote whole rows.
  matcher::RuleSet touched;
};
ReachedRules reached_rules(const StatementInfo& info, const ColumnCatalog& catalog);

/// The same of the statements that one session runs, worked out once for each.
class ColumnReach {
 public:
  /// None without a catalog. Lives until the next call.
  const ReachedRules& of(const std::shared_ptr<const StatementInfo>& info,
                         const std::shared_ptr<const ColumnCatalog>& catalog);

 private:
  /// Keeps both alive, so that no other takes their place in memory.
  struct Entry {
    std::shared_ptr<const StatementInfo> info;
    std::shared_ptr<const ColumnCatalog> catalog;
    ReachedRules rules;
  };
  std::array<Entry, 4> entries_;
  std::size_t oldest_ = 0;
};

}  // namespace sluice::dataplane
