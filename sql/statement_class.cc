#include "sql/statement_class.h"

#include <algorithm>
#include <array>

namespace sluice::sql {
namespace {

constexpr std::array<std::string_view, statement_classes> texts{
    "select",     "insert",   "update", "delete",   "merge",     "truncate",  "copy_in", "copy_out",
    "create",     "alter",    "drop",   "comment",  "grant",     "revoke",    "set",     "reset",
    "show",       "begin",    "commit", "rollback", "savepoint", "two_phase", "prepare", "execute",
    "deallocate", "declare",  "fetch",  "close",    "explain",   "call",      "do",      "listen",
    "notify",     "unlisten", "lock",   "vacuum",   "analyze",   "cluster",   "reindex", "refresh",
    "checkpoint", "discard",  "load",   "other"};
static_assert(!texts.back().empty());

}  // namespace

std::string_view text(StatementClass statement_class) noexcept {
  return texts[static_cast<std::size_t>(statement_class)];
}

std::optional<StatementClass> statement_class_of(std::string_view text) noexcept {
  const auto found = std::find(texts.begin(), texts.end(), text);
  if (found == texts.end()) return std::nullopt;
  return static_cast<StatementClass>(found - texts.begin());
}

}  // namespace sluice::sql
