// Rules name classes of statements, the analysis finds them. The two rooms do not
// know each other; this is where their lists are held together.
#include <catch2/catch.hpp>
#include <string_view>
#include <vector>

#include "config/model/sql_match.h"
#include "sql/statement_class.h"

using namespace sluice;

TEST_CASE("a rule's classes of statements are those of the analysis") {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < sql::statement_classes; ++i) {
    known.push_back(sql::text(static_cast<sql::StatementClass>(i)));
  }
  known.push_back("replication");  // no SQL, but an operation to rule on
  const auto words = config::sql_class_words();
  CHECK(std::vector<std::string_view>(words.begin(), words.end()) == known);
  for (const std::string_view word : known) CHECK(config::sql_classes(word).has_value());
}
