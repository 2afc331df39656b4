#include "sql/parse_tree.h"

#include <fmt/format.h>
#include <pg_query.h>

#include <nlohmann/json.hpp>

namespace sluice::sql {

Result<nlohmann::json> parse_tree(const std::string& text) {
  const std::unique_ptr<PgQueryParseResult, void (*)(PgQueryParseResult*)> parsed(
      new PgQueryParseResult(pg_query_parse(text.c_str())), [](PgQueryParseResult* result) {
        pg_query_free_parse_result(*result);
        delete result;
      });
  if (const PgQueryError* const error = parsed->error; error != nullptr) {
    return fail(fmt::format("{}, at character {}", error->message, error->cursorpos));
  }
  nlohmann::json tree = nlohmann::json::parse(parsed->parse_tree, nullptr, false);
  if (!tree.is_object() || !tree.contains("stmts") || !tree["stmts"].is_array()) {
    return fail("the parser's answer cannot be read");
  }
  return std::move(tree["stmts"]);
}

}  // namespace sluice::sql
