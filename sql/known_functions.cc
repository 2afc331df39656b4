#include "sql/known_functions.h"

#include <algorithm>
#include <array>

namespace sluice::sql {
namespace {

template <std::size_t size>
bool has(const std::array<std::string_view, size>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool runs_text(std::string_view function) noexcept {
  static constexpr std::array<std::string_view, 24> names{
      "connectby",
      "crosstab",
      "crosstab2",
      "crosstab3",
      "crosstab4",
      "crosstab_hash",
      "cursor_to_xml",
      "cursor_to_xmlschema",
      "database_to_xml",
      "database_to_xml_and_xmlschema",
      "get_raw_page",
      "heap_page_items",
      "pg_logical_slot_get_changes",
      "pg_logical_slot_peek_changes",
      "query_to_xml",
      "query_to_xml_and_xmlschema",
      "query_to_xmlschema",
      "schema_to_xml",
      "schema_to_xml_and_xmlschema",
      "table_to_xml",
      "table_to_xml_and_xmlschema",
      "ts_rewrite",
      "ts_stat",
      "xpath_table",
  };
  return function.starts_with("dblink") || has(names, function);
}

bool takes_whole_row(std::string_view function) noexcept {
  static constexpr std::array<std::string_view, 23> names{
      "array_agg",
      "concat",
      "format",
      "hstore",
      "json_agg",
      "json_build_array",
      "json_strip_nulls",
      "jsonb_agg",
      "jsonb_build_array",
      "max",
      "min",
      "num_nonnulls",
      "num_nulls",
      "pg_typeof",
      "quote_literal",
      "quote_nullable",
      "record_out",
      "record_send",
      "row_to_json",
      "string_agg",
      "to_json",
      "to_jsonb",
      "xmlforest",
  };
  return has(names, function);
}

}  // namespace sluice::sql
