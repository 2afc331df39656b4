// The committed reference and schema are what the loader's table says today.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "config/load/load.h"
#include "config/load/schema.h"

using namespace sluice::config;

namespace {

void check_committed(const std::string& name, const std::string& text) {
  const std::string path = SLUICE_TEST_DATA "/../../docs/" + name;
  if (std::getenv("SLUICE_RENEW_DOCS") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  const std::string committed = World::real().read_file(path).value_or("");
  // Not CHECK(a == b): a failure would print both documents.
  const bool is_current = committed == text;
  INFO(path << " is stale; see tests/config/README.md");
  CHECK(is_current);
}

void check_table(const Table& table, const std::string& markdown, const std::string& schema) {
  for (const Field& field : table.fields) {
    INFO(table.path << " " << field.key);
    CHECK(markdown.find(fmt::format("`{}`", field.key)) != std::string::npos);
    CHECK_FALSE(field.sentence.empty());
    if (field.kind != Field::Kind::later) {
      CHECK(schema.find(fmt::format("\"{}\": {{", field.key)) != std::string::npos);
    }
    if (field.table != nullptr) check_table(*field.table, markdown, schema);
  }
}

}  // namespace

TEST_CASE("docs/configuration.md is current") {
  check_committed("configuration.md", configuration_markdown());
}

TEST_CASE("docs/configuration.schema.json is current") {
  check_committed("configuration.schema.json", configuration_json_schema());
}

TEST_CASE("every key of the table is in both documents") {
  std::string markdown = configuration_markdown();
  // Keys of later versions are listed with their path in front.
  const std::size_t later = markdown.find("## Keys of later versions");
  REQUIRE(later != std::string::npos);
  for (std::size_t at = markdown.find('.', later); at != std::string::npos;
       at = markdown.find('.', at + 1)) {
    markdown[at] = '`';
  }
  check_table(root_table(), markdown, configuration_json_schema());
}

TEST_CASE("every default lies in its range") {
  const auto check = [](const auto& self, const Table& table) -> void {
    for (const Field& field : table.fields) {
      const bool is_number = field.kind == Field::Kind::count || field.kind == Field::Kind::size ||
                             field.kind == Field::Kind::duration;
      if (is_number && !field.is_required) {  // What is required has no default.
        INFO(table.path << " " << field.key);
        CHECK(field.get(table.make()) >= field.min);
        CHECK(field.get(table.make()) <= field.max);
      }
      if (field.table != nullptr) self(self, *field.table);
    }
  };
  check(check, root_table());
}
