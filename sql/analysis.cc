#include "sql/analysis.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sql/guard.h"
#include "sql/parse_tree.h"
#include "sql/standard_text.h"
#include "sql/statement_walker.h"
#include "sql/tree.h"

namespace sluice::sql {
namespace {

using nlohmann::json;

std::size_t number_at(const json& tree, std::string_view key) {
  const json& found = at(tree, key);
  return found.is_number_unsigned() ? found.get<std::size_t>() : 0;
}

Analysis analysed(const json& statements, const StandardText& standard) {
  Analysis analysis;
  Budget budget;
  for (const json& raw : statements) {
    Statement& statement = analysis.statements.emplace_back();
    const std::size_t begin = std::min(number_at(raw, "stmt_location"), standard.text.size());
    const std::size_t size = number_at(raw, "stmt_len");  // 0: to the end.
    const std::size_t rest = standard.text.size() - begin;
    const std::size_t end = begin + (size == 0 ? rest : std::min(size, rest));
    statement.offset = standard.original(begin);
    statement.size = standard.original(end) - statement.offset;
    StatementWalker(statement, budget, analysis.literals_matter).walk(at(raw, "stmt"));
  }
  return analysis;
}

}  // namespace

Result<Analysis> analyse(std::string_view text, LexerOptions options,
                         const AnalysisLimits& limits) {
  if (Result<void> checked = check_limits(text, options, limits); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<StandardText> standard = standard_text(text, options);
  if (!standard) return tl::unexpected(standard.error());
  const Result<json> tree = parse_tree(standard->text);
  if (!tree) return tl::unexpected(tree.error());
  try {
    return analysed(*tree, *standard);
  } catch (const TooComplex&) {
    return fail("too complex to be analysed");
  } catch (const json::exception& unexpected) {
    return fail(std::string("the parse tree cannot be read: ") + unexpected.what());
  }
}

}  // namespace sluice::sql
