// docs/configuration.md from the table of keys.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "config/load/load.h"
#include "config/load/schema.h"

namespace sluice::config {
namespace {

using Kind = Field::Kind;

constexpr std::string_view introduction =
    R"(# Configuration

<!-- Generated from the table that the loader reads by; a test fails when this page is stale.
     tests/config/README.md says how to renew it. -->

`sluice run -c sluice.yaml` and `sluice check -c sluice.yaml` read one YAML file, and after it
every `conf.d/*.yaml` beside it in the order of their names. Lists of those files are appended to
the lists of the first; a single value set in two files is an error that names both places.
[docs/examples/sluice.yaml](examples/sluice.yaml) is a whole configuration; the JSON Schema for
editors is [configuration.schema.json](configuration.schema.json).

Nothing is guessed. Unknown and duplicate keys, empty lists and sections, anchors, aliases, tags
and merge keys are errors, each with its file, line and column; all of them are told at once.

| what | how it is written |
| --- | --- |
| duration | `250ms`, `10s`, `5m`, `2h`, `1d` |
| size | bytes, `512`, or `64KiB`, `16MiB`, `1GiB` |
| rate | `100/s`, `30/m`, `5/h` |
| address | `host:port` or `[IPv6]:port`; listeners take addresses in digits only |
| secret | a reference: `file:PATH`, `env:NAME` or `cred:NAME` (a systemd credential); a final line end is cut off. The secret itself is an error. |
| file reference | `file:PATH` or `cred:NAME` |
| PKCS#11 URI | a key in a token (RFC 7512): `pkcs11:token=LABEL;object=LABEL` |
| path | relative to the folder of the main file |
| any value | `${env:NAME}` takes a variable of the environment; `$${` stands for `${`; inside `{…}` and `[…]` such a value needs quotes |

)";

/// Tables in the order in which a reader meets them, each once.
void collect(const Table& table, std::vector<const Table*>& tables) {
  tables.push_back(&table);
  for (const Field& field : table.fields) {
    if (field.table != nullptr) collect(*field.table, tables);
  }
}

/// GitHub's way from a heading to its link.
std::string anchor(std::string_view heading) {
  std::string link;
  for (const char c : heading) {
    if (c == ' ') link += '-';
    if (is_letter_or_digit(c)) link += lower_of(c);
  }
  return link;
}

std::string choices_text(const Field& field) {
  std::string text;
  for (const Choice& choice : field.choices) {
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", choice.word);
    if (!choice.sentence.empty()) text += fmt::format(" ({})", choice.sentence);
  }
  return text;
}

std::string word_text(Word word) {
  switch (word) {
    case Word::name:
      return "name";
    case Word::method:
      return "method";
    case Word::path_glob:
      return "glob";
    case Word::header_name:
    case Word::injected_header:
      return "header name";
    case Word::expression:
      return "regular expression";
    case Word::json_path:
      return "JSON path";
    case Word::builtin:
      return "finder";
    case Word::url_path:
      return "URL path";
    case Word::host_name:
      return "host name";
    case Word::http_url:
      return "http URL";
    case Word::page_url:
      return "https URL, perhaps with a query";
    case Word::issuer_url:
      return "https URL";
    case Word::jws_algorithm:
      return "algorithm";
    case Word::network:
      return "address, or network like 10.0.0.0/8";
    case Word::public_key_pin:
      return "pin";
    case Word::file_path:
      return "path";
    case Word::variable:
      return "NAME=VALUE";
    case Word::request_event:
      return "event";
    case Word::request_link:
      return "URL with `{id}`";
    case Word::sql_class:
      return "class of statements";
    case Word::sql_name:
      return "SQL name";
    case Word::sql_column:
      return "SQL column";
    case Word::any:
    case Word::title:
    case Word::sentence:
    case Word::subject:
      return "text";
  }
  return "text";
}

std::string type_text(const Field& field) {
  switch (field.kind) {
    case Kind::version:
      return "`1`";
    case Kind::text:
      return word_text(field.word);
    case Kind::flag:
      return "`true` or `false`";
    case Kind::count:
      return "number";
    case Kind::size:
      return "size";
    case Kind::duration:
      return "duration";
    case Kind::rate:
      return "rate";
    case Kind::choice:
      return "word";
    case Kind::listen_address:
      return "address";
    case Kind::target_addresses:
      return "list of addresses";
    case Kind::secret:
      return "secret";
    case Kind::file:
    case Kind::file_text:
      return "file reference";
    case Kind::signing_key:
      return "file reference or PKCS#11 URI";
    case Kind::texts:
      return fmt::format("list: {}", word_text(field.word));
    case Kind::section:
      return fmt::format("[section](#{})", anchor(field.table->title));
    case Kind::sections:
      return fmt::format("[list](#{})", anchor(field.table->title));
    case Kind::builtins_or_section:
      return fmt::format("finders or [section](#{})", anchor(field.table->title));
    case Kind::choice_or_section:
      return fmt::format("word or [section](#{})", anchor(field.table->title));
    case Kind::word_or_section:
      return fmt::format("`{}` or [section](#{})", field.choices.front().word,
                         anchor(field.table->title));
    case Kind::later:
      return "";
  }
  return "";
}

std::string default_text(const Table& table, const Field& field) {
  if (field.is_required) return "required";
  if (field.get != nullptr) {
    return fmt::format("`{}`", number_text(field, field.get(table.make())));
  }
  if (field.kind == Kind::text && !field.is_optional) {
    const auto& text = *static_cast<const std::string*>(field.open(table.make()));
    if (!text.empty()) return fmt::format("`{}`", text);
  }
  return "–";
}

std::string range_text(const Field& field) {
  switch (field.kind) {
    case Kind::count:
    case Kind::size:
    case Kind::duration:
      return fmt::format("{} to {}", number_text(field, field.min), number_text(field, field.max));
    case Kind::choice:
    case Kind::choice_or_section:
      return choices_text(field);
    case Kind::texts:
    case Kind::target_addresses:
    case Kind::sections:
      return fmt::format("at most {}", field.items_max);
    default:
      return "";
  }
}

std::string table_text(const Table& table) {
  std::string text = fmt::format("## {}\n\n", table.title);
  if (!table.path.empty()) text += fmt::format("`{}`. ", table.path);
  text += fmt::format("{}\n\n| key | value | default | allowed | meaning |\n", table.sentence);
  text += "| --- | --- | --- | --- | --- |\n";
  for (const Field& field : table.fields) {
    if (field.kind == Kind::later) continue;
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", field.key, type_text(field),
                        default_text(table, field), range_text(field), field.sentence);
  }
  return text + "\n";
}

std::string finders_text() {
  std::string text = "## Built-in finders\n\n";
  for (const Choice& finder : builtin_finders()) {
    text += fmt::format("- `{}`", finder.word);
    if (!finder.sentence.empty()) text += fmt::format(": {}", finder.sentence);
    text += '\n';
  }
  return text + '\n';
}

std::string later_text(const std::vector<const Table*>& tables) {
  std::string text =
      "## Keys of later versions\n\nThese are known and refused, with a message that says so.\n\n";
  for (const Table* table : tables) {
    for (const Field& field : table->fields) {
      if (field.kind != Kind::later) continue;
      const std::string_view dot = table->path.empty() ? "" : ".";
      text += fmt::format("- `{}{}{}`: {}\n", table->path, dot, field.key, field.sentence);
    }
  }
  return text;
}

}  // namespace

std::string configuration_markdown() {
  std::vector<const Table*> tables;
  collect(root_table(), tables);
  std::string text(introduction);
  for (const Table* table : tables) text += table_text(*table);
  return text + finders_text() + later_text(tables);
}

}  // namespace sluice::config
