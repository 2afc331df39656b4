#include "sql/tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluice::sql {

using nlohmann::json;

namespace {

const json nothing;

}  // namespace

const json& at(const json& tree, std::string_view key) {
  if (!tree.is_object()) return nothing;
  const auto found = tree.find(key);
  return found == tree.end() ? nothing : *found;
}

std::string text_at(const json& tree, std::string_view key) {
  const json& found = at(tree, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

bool flag_at(const json& tree, std::string_view key) {
  const json& found = at(tree, key);
  return found.is_boolean() && found.get<bool>();
}

std::vector<std::string> names_at(const json& tree, std::string_view key) {
  std::vector<std::string> names;
  for (const json& item : at(tree, key)) {
    if (tag_of(item) == "String") names.push_back(text_at(body_of(item), "sval"));
  }
  return names;
}

std::string_view tag_of(const json& tree) {
  if (!tree.is_object() || tree.size() != 1) return {};
  const std::string& key = tree.begin().key();
  const bool is_tag = !key.empty() && key[0] >= 'A' && key[0] <= 'Z';
  return is_tag ? std::string_view(key) : std::string_view();
}

const json& body_of(const json& tree) {
  return tag_of(tree).empty() ? nothing : *tree.begin();
}

bool is_temporary(const json& tree) {
  if (text_at(tree, "relpersistence") == "t") return true;
  const std::string name =
      tag_of(tree) == "String" ? text_at(body_of(tree), "sval") : text_at(tree, "schemaname");
  if (name.starts_with("pg_temp")) return true;
  if (!tree.is_structured()) return false;
  return std::any_of(tree.begin(), tree.end(), is_temporary);
}

bool is_star(const json& column_reference) {
  const json& fields = at(column_reference, "fields");
  return fields.is_array() && !fields.empty() && tag_of(fields.back()) == "A_Star";
}

std::optional<std::string> constant_text(const json& tagged) {
  if (tag_of(tagged) == "TypeCast") return constant_text(at(body_of(tagged), "arg"));
  if (tag_of(tagged) != "A_Const") return std::nullopt;
  const json& constant = body_of(tagged);
  if (const json& text = at(constant, "sval"); !text.is_null()) return text_at(text, "sval");
  if (const json& number = at(constant, "ival"); !number.is_null()) {
    const json& value = at(number, "ival");
    return value.is_number() ? value.dump() : "0";
  }
  if (const json& number = at(constant, "fval"); !number.is_null()) return text_at(number, "fval");
  if (const json& truth = at(constant, "boolval"); !truth.is_null()) {
    return flag_at(truth, "boolval") ? "true" : "false";
  }
  if (const json& bits = at(constant, "bsval"); !bits.is_null()) return text_at(bits, "bsval");
  return std::nullopt;
}

}  // namespace sluice::sql
