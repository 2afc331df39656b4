#include "sql/row_condition.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sql/tree.h"

namespace sluice::sql {
namespace {

using nlohmann::json;

/// Whether some column in the tree may be the target's.
bool names_target(const json& tree, const Scope& scope) {
  if (!tree.is_structured()) return false;
  if (tag_of(tree) == "CurrentOfExpr") return true;
  if (tag_of(tree) == "ColumnRef") {
    const std::vector<std::string> names = names_at(body_of(tree), "fields");
    return names.size() < 2 || names[names.size() - 2] == scope.sources.front().alias;
  }
  return std::any_of(tree.begin(), tree.end(),
                     [&](const json& child) { return names_target(child, scope); });
}

/// The same but for places in the text. Sets `has_constant` when a constant was compared.
bool is_same(const json& left, const json& right, bool& has_constant) {
  if (left.type() != right.type()) return false;
  if (!left.is_structured()) return left == right;
  if (left.is_array()) {
    // How long a list is may be up to its constants alone.
    if (left.size() != right.size()) has_constant = true;
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [&](const json& a, const json& b) { return is_same(a, b, has_constant); });
  }
  if (tag_of(left) == "A_Const" && tag_of(right) == "A_Const") has_constant = true;
  for (auto member = left.begin(); member != left.end(); ++member) {
    if (member.key() == "location") continue;
    const auto other = right.find(member.key());
    if (other == right.end() || !is_same(*member, *other, has_constant)) return false;
  }
  return std::all_of(right.items().begin(), right.items().end(), [&](const auto& member) {
    return member.key() == "location" || left.contains(member.key());
  });
}

/// a = a, a <= a, a IS NOT DISTINCT FROM a, a LIKE '%'.
bool is_true_of_all(const json& comparison, RowCondition& result) {
  const std::string kind = text_at(comparison, "kind");
  const std::vector<std::string> names = names_at(comparison, "name");
  const std::string op = names.empty() ? "" : names.back();
  const json& left = at(comparison, "lexpr");
  const json& right = at(comparison, "rexpr");
  if (kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE") {
    const std::optional<std::string> pattern = constant_text(right);
    if (pattern) result.literals_matter = true;
    return pattern && !pattern->empty() && pattern->find_first_not_of('%') == std::string::npos;
  }
  const bool is_reflexive = kind == "AEXPR_NOT_DISTINCT" ||
                            (kind == "AEXPR_OP" && (op == "=" || op == "<=" || op == ">="));
  if (!is_reflexive) return false;
  bool has_constant = false;
  const bool same = is_same(left, right, has_constant);
  if (has_constant) result.literals_matter = true;
  return same;
}

/// x IS NULL OR x IS NOT NULL
bool covers_all(const json& alternatives) {
  for (const json& one : alternatives) {
    for (const json& other : alternatives) {
      if (tag_of(one) != "NullTest" || tag_of(other) != "NullTest") continue;
      bool has_constant = false;
      if (text_at(body_of(one), "nulltesttype") != text_at(body_of(other), "nulltesttype") &&
          is_same(at(body_of(one), "arg"), at(body_of(other), "arg"), has_constant)) {
        return true;
      }
    }
  }
  return false;
}

bool tells_apart(const json& tree, const Scope& scope, RowCondition& result) {
  const std::string_view tag = tag_of(tree);
  const json& inner = body_of(tree);
  if (tag == "A_Const") return constant_text(tree) == "false" && at(inner, "sval").is_null();
  if (!names_target(tree, scope)) return false;
  if (tag == "BoolExpr") {
    const json& parts = at(inner, "args");
    const std::string op = text_at(inner, "boolop");
    const auto part_tells = [&](const json& part) { return tells_apart(part, scope, result); };
    if (op == "AND_EXPR") return std::any_of(parts.begin(), parts.end(), part_tells);
    if (op == "OR_EXPR") {
      return std::all_of(parts.begin(), parts.end(), part_tells) && !covers_all(parts);
    }
    return true;
  }
  if (tag == "A_Expr") return !is_true_of_all(inner, result);
  return true;
}

}  // namespace

RowCondition row_condition(const json& tree, const Scope& scope) {
  RowCondition result;
  if (!tree.is_null()) result.tells_rows_apart = tells_apart(tree, scope, result);
  return result;
}

}  // namespace sluice::sql
