// docs/configuration.schema.json (JSON Schema 2020-12) from the table of keys,
// for editors. The loader stays the judge: it knows more than a schema can say.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "config/load/load.h"
#include "config/load/schema.h"

namespace sluice::config {
namespace {

using Kind = Field::Kind;

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  result += '"';
  return result;
}

std::string indented(const std::string& json) {
  std::string result;
  for (const char c : json) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

/// Members in the order they were added; values are JSON already.
class Object {
 public:
  Object& add(std::string_view key, const std::string& json) {
    members_.push_back(fmt::format("{}: {}", json_string(key), json));
    return *this;
  }
  [[nodiscard]] std::string text() const {
    if (members_.empty()) return "{}";
    std::string body;
    for (const std::string& member : members_) {
      body += fmt::format("{}\n{}", body.empty() ? "" : ",", member);
    }
    return indented("{" + body) + "\n}";
  }

 private:
  std::vector<std::string> members_;
};

std::string array(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string type(std::string_view name) {
  return Object().add("type", json_string(name)).text();
}

std::string pattern(std::string_view expression) {
  return Object().add("type", json_string("string")).add("pattern", json_string(expression)).text();
}

/// Whatever a value is, it may come from the environment.
std::string or_environment(const std::string& json) {
  const std::string reference = Object().add("$ref", json_string("#/$defs/environment")).text();
  return Object().add("anyOf", array({json, reference})).text();
}

std::string list_of(const std::string& items, std::size_t items_max) {
  return Object()
      .add("type", json_string("array"))
      .add("items", items)
      .add("minItems", "1")
      .add("maxItems", fmt::format("{}", items_max))
      .text();
}

std::string words(std::span<const Choice> choices, std::string_view prefix = {}) {
  std::vector<std::string> items;
  for (const Choice& choice : choices)
    items.push_back(json_string(fmt::format("{}{}", prefix, choice.word)));
  return Object().add("enum", array(items)).text();
}

Object table_object(const Table& table);

std::string count_json(const Field& field) {
  return Object()
      .add("type", json_string("integer"))
      .add("minimum", fmt::format("{}", field.min))
      .add("maximum", fmt::format("{}", field.max))
      .text();
}

std::string value_json(const Field& field) {
  switch (field.kind) {
    case Kind::version:
      return Object().add("const", "1").text();
    case Kind::text:
      return type("string");
    case Kind::flag:
      return or_environment(type("boolean"));
    case Kind::count:
      return or_environment(count_json(field));
    case Kind::size:
      return or_environment(
          Object().add("anyOf", array({type("integer"), pattern("^[0-9]+([KMGT]iB)?$")})).text());
    case Kind::duration:
      return or_environment(pattern("^[0-9]+(ms|s|m|h|d)$"));
    case Kind::rate:
      return or_environment(pattern("^[0-9]+/(s|m|h)$"));
    case Kind::choice:
      return or_environment(words(field.choices));
    case Kind::listen_address:
      return or_environment(pattern("^[0-9a-fA-F.:\\[\\]]+:[0-9]+$"));
    case Kind::target_addresses:
      return list_of(or_environment(pattern("^.+:[0-9]+$")), field.items_max);
    case Kind::secret:
      return or_environment(pattern("^(file|env|cred):.+$"));
    case Kind::file:
    case Kind::file_text:
      return or_environment(pattern("^(file|cred):.+$"));
    case Kind::signing_key:
      return or_environment(pattern("^(file|cred|pkcs11):.+$"));
    case Kind::texts:
      return list_of(field.word == Word::builtin ? words(builtin_finders()) : type("string"),
                     field.items_max);
    case Kind::section:
      return table_object(*field.table).text();
    case Kind::sections:
      return list_of(table_object(*field.table).text(), field.items_max);
    case Kind::builtins_or_section: {
      const std::string finder = words(builtin_finders(), "builtin:");
      return Object()
          .add("anyOf", array({finder, list_of(finder, builtin_finders().size()),
                               table_object(*field.table).text()}))
          .text();
    }
    case Kind::choice_or_section:
    case Kind::word_or_section:
      return Object()
          .add("anyOf", array({words(field.choices), table_object(*field.table).text()}))
          .text();
    case Kind::later:
      break;
  }
  return "false";
}

/// The value's schema with the sentence, and the default where there is one.
std::string field_json(const Table& table, const Field& field) {
  Object object;
  object.add("description", json_string(field.sentence));
  const bool has_default = field.get != nullptr && !field.is_required;
  if (has_default) {
    const std::string text = number_text(field, field.get(table.make()));
    const bool is_bare = field.kind == Kind::flag || field.kind == Kind::count;
    object.add("default", is_bare ? text : json_string(text));
  }
  object.add("allOf", array({value_json(field)}));
  return object.text();
}

Object table_object(const Table& table) {
  Object properties;
  std::vector<std::string> required;
  for (const Field& field : table.fields) {
    if (field.kind == Kind::later) continue;
    properties.add(field.key, field_json(table, field));
    if (field.is_required) required.push_back(json_string(field.key));
  }
  Object object;
  object.add("type", json_string("object"))
      .add("description", json_string(table.sentence))
      .add("additionalProperties", "false");
  if (!required.empty()) object.add("required", array(required));
  object.add("properties", properties.text());
  return object;
}

}  // namespace

std::string configuration_json_schema() {
  Object object = table_object(root_table());
  object.add("$schema", json_string("https://json-schema.org/draft/2020-12/schema"))
      .add("title", json_string("Sluice configuration"))
      .add("$defs",
           Object().add("environment", pattern("^.*\\$\\{env:[A-Za-z0-9_]+\\}.*$")).text());
  return object.text() + "\n";
}

}  // namespace sluice::config
