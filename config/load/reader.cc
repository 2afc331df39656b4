#include "config/load/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "config/load/quantity.h"
#include "config/load/suggest.h"

namespace sluice::config {
namespace {

constexpr std::size_t secret_bytes_max = std::size_t{64} << 10;
constexpr std::size_t file_text_bytes_max = std::size_t{4} << 20;

template <class Type>
Type& opened(const Field& field, void* owner) {
  return *static_cast<Type*>(field.open(owner));
}

std::string quoted_list(std::span<const Choice> choices) {
  std::string list;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i != 0) list += i + 1 == choices.size() ? " or " : ", ";
    list += fmt::format("'{}'", choices[i].word);
  }
  return list;
}

std::string suggestion_among(std::string_view written, std::span<const Choice> choices) {
  std::vector<std::string_view> words;
  for (const Choice& choice : choices) words.push_back(choice.word);
  return suggestion_for(written, words);
}

/// The finder that was meant, or all there are.
std::string finder_suggestion(std::string_view written) {
  std::string nearest = suggestion_among(written, builtin_finders());
  if (!nearest.empty()) return nearest;
  std::vector<std::string_view> words;
  for (const Choice& choice : builtin_finders()) words.push_back(choice.word);
  return fmt::format("there are: {}", fmt::join(words, ", "));
}

/// Words of the product's whole map that this version does not know.
bool is_later_word(std::string_view key, std::string_view word) {
  constexpr std::array<std::string_view, 9> protocols{"mysql", "ssh",   "kubernetes", "mcp", "rdp",
                                                      "amqp",  "kafka", "redis",      "tcp"};
  if (key == "protocol")
    return std::find(protocols.begin(), protocols.end(), word) != protocols.end();
  return key == "show" && word == "tokenize";
}

Result<std::uint64_t> parse_number(const Field& field, std::string_view text) {
  if (field.kind == Field::Kind::size) return parse_size(text);
  if (field.kind == Field::Kind::duration) {
    return parse_duration(text).map(
        [](Duration duration) { return static_cast<std::uint64_t>(duration.ns); });
  }
  if (field.kind == Field::Kind::flag) {
    if (text == "true") return std::uint64_t{1};
    if (text == "false") return std::uint64_t{0};
    return fail(fmt::format("'{}' is neither true nor false", text));
  }
  if (const auto count = parse_count(text)) return *count;
  return fail(fmt::format("'{}' is not a whole number", text));
}

bool is_variable_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter_or_digit(c) || c == '_';
  });
}

bool is_credential_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 128 && name.front() != '.' &&
         name.find('/') == std::string_view::npos;
}

}  // namespace

void Reader::report(const Place& place, std::string message, std::string suggestion) {
  problems_.push_back({place, std::move(message), std::move(suggestion)});
}

void Reader::read_section(const YamlNode& node, const Table& table, void* owner) {
  places_.note_section(owner, node.place);
  if (table.place != nullptr) *table.place(owner) = node.place;
  if (node.kind != YamlNode::Kind::mapping) {
    report(node.place, fmt::format("expected a section with keys, found {}",
                                   node.is_null() ? "nothing" : node.kind_text()));
    return;
  }
  if (node.entries.empty()) {
    report(node.place, "an empty section; fill it or leave it out");
    return;
  }
  for (const YamlEntry& entry : node.entries) {
    const auto field =
        std::find_if(table.fields.begin(), table.fields.end(),
                     [&](const Field& candidate) { return candidate.key == entry.key; });
    if (field == table.fields.end()) {
      report_unknown_key(entry, table);
    } else if (field->kind == Field::Kind::later) {
      report(entry.key_place, fmt::format("'{}' is not available in this version", entry.key));
    } else {
      read_field(entry.value, *field, owner);
    }
  }
  for (const Field& field : table.fields) {
    if (!field.is_required) continue;
    const bool is_given =
        std::any_of(node.entries.begin(), node.entries.end(),
                    [&](const YamlEntry& entry) { return entry.key == field.key; });
    if (!is_given)
      report(node.place, fmt::format("'{}' is missing: {}", field.key, field.sentence));
  }
}

void Reader::report_unknown_key(const YamlEntry& entry, const Table& table) {
  std::vector<std::string_view> known;
  for (const Field& field : table.fields) {
    if (field.kind != Field::Kind::later) known.push_back(field.key);
  }
  std::string suggestion = suggestion_for(entry.key, known);
  if (suggestion.empty()) {
    suggestion = fmt::format("known here: {}", fmt::join(known, ", "));
  }
  report(entry.key_place, fmt::format("unknown key '{}'", entry.key), std::move(suggestion));
}

void Reader::read_field(const YamlNode& node, const Field& field, void* owner) {
  if (node.is_null()) {
    report(node.place, fmt::format("'{}' has no value", field.key));
    return;
  }
  using Kind = Field::Kind;
  switch (field.kind) {
    case Kind::version:
      if (const auto text = text_of(node, "1"); text && *text != "1") {
        report(node.place, fmt::format("version '{}' is not known to this program, only 1", *text));
      }
      return;
    case Kind::text:
      return read_text(node, field, opened<std::string>(field, owner));
    case Kind::flag:
    case Kind::count:
    case Kind::size:
    case Kind::duration:
      return read_number(node, field, owner);
    case Kind::rate:
      return read_rate(node, field, opened<Rate>(field, owner));
    case Kind::choice:
      return read_choice(node, field, owner);
    case Kind::listen_address:
      return read_listen_address(node, field, owner);
    case Kind::target_addresses:
      return read_target_addresses(node, field, opened<std::vector<SocketAddress>>(field, owner));
    case Kind::secret:
      return read_secret(node, field, owner);
    case Kind::file:
      return read_file(node, field, opened<std::string>(field, owner));
    case Kind::file_text:
      return read_file_text(node, field, opened<FileText>(field, owner));
    case Kind::signing_key:
      return read_signing_key(node, field, owner);
    case Kind::texts:
      return read_texts(node, field, opened<std::vector<std::string>>(field, owner));
    case Kind::section:
      return read_section(node, *field.table, field.open(owner));
    case Kind::sections:
      return read_sections(node, field, owner);
    case Kind::builtins_or_section:
      return read_builtins_or_section(node, field, owner);
    case Kind::choice_or_section:
      return read_choice_or_section(node, field, owner);
    case Kind::word_or_section:
      return read_word_or_section(node, field, owner);
    case Kind::later:
      return;
  }
}

void Reader::read_number(const YamlNode& node, const Field& field, void* owner) {
  places_.note(field.open(owner), node.place);
  const auto text = text_of(node, "one value");
  if (!text) return;
  const auto number = parse_number(field, *text);
  if (!number)
    return report(node.place, fmt::format("'{}': {}", field.key, number.error().message));
  if (*number < field.min || *number > field.max) {
    return report(node.place,
                  fmt::format("'{}' must be between {} and {}, not {}", field.key,
                              number_text(field, field.min), number_text(field, field.max), *text));
  }
  field.set(owner, *number);
}

void Reader::read_rate(const YamlNode& node, const Field& field, Rate& value) {
  places_.note(&value, node.place);
  const auto text = text_of(node, "a rate");
  if (!text) return;
  const auto rate = parse_rate(*text);
  if (!rate) return report(node.place, fmt::format("'{}': {}", field.key, rate.error().message));
  value = *rate;
}

void Reader::read_choice(const YamlNode& node, const Field& field, void* owner) {
  places_.note(field.open(owner), node.place);
  const auto text = text_of(node, quoted_list(field.choices));
  if (!text) return;
  const auto choice = std::find_if(field.choices.begin(), field.choices.end(),
                                   [&](const Choice& known) { return known.word == *text; });
  if (choice != field.choices.end()) return field.set(owner, choice->value);
  if (is_later_word(field.key, *text)) {
    return report(node.place,
                  fmt::format("{} '{}' is not available in this version", field.key, *text));
  }
  std::string wanted = quoted_list(field.choices);
  if (field.kind == Field::Kind::choice_or_section) {
    wanted += fmt::format(", or a section '{}'", field.table->fields.front().key);
  }
  report(node.place, fmt::format("'{}' must be {}, not '{}'", field.key, wanted, *text),
         suggestion_among(*text, field.choices));
}

void Reader::read_text(const YamlNode& node, const Field& field, std::string& value) {
  places_.note(&value, node.place);
  const auto text = text_of(node, "a text");
  if (!text) return;
  if (const auto fault = word_fault(field.word, *text)) {
    return report(node.place, fmt::format("'{}': {}", field.key, *fault));
  }
  value = field.word == Word::file_path ? absolute(*text) : *text;
}

bool Reader::is_list(const YamlNode& node, const Field& field) {
  if (node.kind != YamlNode::Kind::sequence) {
    report(node.place, fmt::format("'{}' must be a list, not {}; write [a, b] or one '- …' a line",
                                   field.key, node.kind_text()));
    return false;
  }
  if (node.items.empty()) {
    // "Nobody" and "everybody" must not be confused by an empty list.
    report(node.place,
           fmt::format("'{}' is an empty list; {}", field.key,
                       field.is_required ? "it needs an entry" : "leave the key out instead"));
    return false;
  }
  if (node.items.size() > field.items_max) {
    report(node.place, fmt::format("'{}' has {} entries; at most {} are allowed", field.key,
                                   node.items.size(), field.items_max));
    return false;
  }
  return true;
}

void Reader::read_texts(const YamlNode& node, const Field& field,
                        std::vector<std::string>& values) {
  if (!is_list(node, field)) return;
  values.reserve(node.items.size());  // places are kept by address
  for (const YamlNode& item : node.items) {
    const auto text = text_of(item, "a text");
    if (!text) continue;
    if (const auto fault = word_fault(field.word, *text)) {
      report(item.place, fmt::format("'{}': {}", field.key, *fault),
             field.word == Word::builtin ? finder_suggestion(*text) : std::string());
      continue;
    }
    if (std::find(values.begin(), values.end(), *text) != values.end()) {
      report(item.place, fmt::format("'{}' lists '{}' twice", field.key, *text));
      continue;
    }
    places_.note(&values.emplace_back(*text), item.place);
  }
}

void Reader::read_listen_address(const YamlNode& node, const Field& field, void* owner) {
  auto& value = opened<SocketAddress>(field, owner);
  places_.note(&value, node.place);
  const auto text = text_of(node, "an address");
  if (!text) return;
  auto address = parse_address(*text);
  if (!address) {
    return report(node.place, fmt::format("'{}': {}", field.key, address.error().message));
  }
  if (!is_numeric_host(address->host)) {
    return report(node.place,
                  fmt::format("'{}': '{}' is a name; listen on an address in digits, such as "
                              "0.0.0.0:{}",
                              field.key, address->host, address->port));
  }
  value = std::move(*address);
}

void Reader::read_target_addresses(const YamlNode& node, const Field& field,
                                   std::vector<SocketAddress>& values) {
  if (!is_list(node, field)) return;
  const auto is_known = [&](const SocketAddress& address) {
    return std::any_of(values.begin(), values.end(), [&](const SocketAddress& known) {
      return known.host == address.host && known.port == address.port;
    });
  };
  for (const YamlNode& item : node.items) {
    const auto text = text_of(item, "an address");
    if (!text) continue;
    const auto address = parse_address(*text);
    if (!address) {
      report(item.place, fmt::format("'{}': {}", field.key, address.error().message));
      continue;
    }
    if (is_numeric_host(address->host)) {
      if (is_known(*address)) {
        report(item.place, fmt::format("'{}' lists {} twice", field.key, address_text(*address)));
      } else {
        values.push_back(*address);
      }
      continue;
    }
    const auto hosts = world_.resolve(address->host);
    if (hosts.empty()) {
      report(item.place, fmt::format("'{}': cannot resolve '{}'", field.key, address->host));
    }
    for (const std::string& host : hosts) {
      if (is_known({host, address->port})) continue;
      values.push_back({host, address->port, address->host});
    }
  }
}

std::string Reader::absolute(std::string_view path) const {
  if (path.starts_with('/') || base_directory_.empty()) return std::string(path);
  return base_directory_ + "/" + std::string(path);
}

std::optional<std::string> Reader::path_of(std::string_view reference, const Place& place) {
  if (reference.starts_with("file:") && reference.size() > 5) return absolute(reference.substr(5));
  if (!reference.starts_with("cred:")) return std::nullopt;
  const std::string_view name = reference.substr(5);
  if (!is_credential_name(name)) {
    report(place, fmt::format("'{}' names no credential", reference));
    return std::string();
  }
  const auto directory = world_.environment("CREDENTIALS_DIRECTORY");
  if (!directory) {
    report(place, fmt::format("'{}': systemd passed no credentials (CREDENTIALS_DIRECTORY is not "
                              "set)",
                              reference));
    return std::string();
  }
  return *directory + "/" + std::string(name);
}

std::optional<std::string> Reader::read_path(const YamlNode& node, const Field& field) {
  const auto reference = text_of(node, "a reference");
  if (!reference) return std::nullopt;
  auto path = path_of(*reference, node.place);
  if (!path) {
    // The text may be the secret that belongs into the file: it is not repeated.
    report(
        node.place,
        fmt::format("'{}' must be a reference to a file; write file:PATH or cred:NAME", field.key));
  }
  return path;
}

void Reader::read_file(const YamlNode& node, const Field& field, std::string& value) {
  places_.note(&value, node.place);
  if (auto path = read_path(node, field)) value = std::move(*path);
}

void Reader::read_file_text(const YamlNode& node, const Field& field, FileText& value) {
  places_.note(&value, node.place);
  auto path = read_path(node, field);
  if (!path || path->empty()) return;  // reported there
  auto text = world_.read_file(*path);
  if (!text) return report(node.place, fmt::format("cannot read '{}'", *path));
  if (text->size() > file_text_bytes_max) {
    return report(node.place,
                  fmt::format("'{}' is larger than {}", *path, size_text(file_text_bytes_max)));
  }
  value = {std::move(*path), std::move(*text), node.place};
}

void Reader::read_signing_key(const YamlNode& node, const Field& field, void* owner) {
  auto& value = opened<SigningKey>(field, owner);
  places_.note(&value, node.place);
  const auto reference = text_of(node, "a reference");
  if (!reference) return;
  if (reference->starts_with("pkcs11:")) {
    value.uri = *reference;
    return;
  }
  auto path = path_of(*reference, node.place);
  if (!path) {
    return report(node.place,
                  fmt::format("'{}' must be a reference to a key, not the key itself; write "
                              "file:PATH, cred:NAME or pkcs11:token=LABEL;object=LABEL",
                              field.key));
  }
  value.file = std::move(*path);
}

void Reader::read_secret(const YamlNode& node, const Field& field, void* owner) {
  auto& secret = opened<Secret>(field, owner);
  places_.note(&secret, node.place);
  const auto reference = text_of(node, "a reference");
  if (!reference) return;

  std::optional<std::string> found;
  if (reference->starts_with("env:")) {
    const std::string name = reference->substr(4);
    if (is_variable_name(name)) found = world_.environment(name);
    if (!found) return report(node.place, fmt::format("'{}' is not set", *reference));
  } else {
    const auto path = path_of(*reference, node.place);
    if (!path) {
      // The text may be the secret: it is not repeated.
      return report(
          node.place,
          fmt::format("'{}' must be a reference to a secret, not the secret itself; write "
                      "file:PATH, env:NAME or cred:NAME",
                      field.key));
    }
    if (path->empty()) return;
    found = world_.read_file(*path);
    if (!found) return report(node.place, fmt::format("cannot read '{}'", *path));
  }
  if (found->ends_with('\n')) found->pop_back();
  if (found->ends_with('\r')) found->pop_back();
  if (found->empty()) return report(node.place, fmt::format("'{}' is empty", *reference));
  if (found->size() > secret_bytes_max) {
    return report(node.place,
                  fmt::format("'{}' is larger than {}", *reference, size_text(secret_bytes_max)));
  }
  secret = {*reference, std::move(*found)};
}

void Reader::read_sections(const YamlNode& node, const Field& field, void* owner) {
  if (!is_list(node, field)) return;
  field.reserve(owner, node.items.size());  // places are kept by address
  for (const YamlNode& item : node.items) read_section(item, *field.table, field.open(owner));
}

void Reader::read_builtins_or_section(const YamlNode& node, const Field& field, void* owner) {
  void* value = field.open(owner);
  if (node.kind == YamlNode::Kind::mapping) return read_section(node, *field.table, value);

  // The short form: the first field of the section, each word with its prefix.
  constexpr std::string_view prefix = "builtin:";
  YamlNode list;
  list.kind = YamlNode::Kind::sequence;
  list.place = node.place;
  list.items = node.kind == YamlNode::Kind::scalar ? std::vector{node} : node.items;
  for (YamlNode& item : list.items) {
    if (item.kind == YamlNode::Kind::scalar && item.text.starts_with(prefix)) {
      item.text.erase(0, prefix.size());
      continue;
    }
    const bool is_bare_name =
        item.kind == YamlNode::Kind::scalar && !word_fault(Word::builtin, item.text);
    return report(
        item.place,
        fmt::format("'{}' takes builtin:NAME, a list of them, or a section such as "
                    "{{json: [\"$..cvv\"]}}",
                    field.key),
        is_bare_name ? fmt::format("did you mean 'builtin:{}'?", item.text) : std::string());
  }
  read_field(list, field.table->fields.front(), value);
}

void Reader::read_choice_or_section(const YamlNode& node, const Field& field, void* owner) {
  if (node.kind == YamlNode::Kind::scalar) {
    if (node.text == field.table->fields.front().key) {
      return report(node.place, "write how much to keep: {partial: {first: 6, last: 4}}");
    }
    return read_choice(node, field, owner);
  }
  places_.note(field.open(owner), node.place);
  if (node.kind == YamlNode::Kind::mapping && node.entries.size() != 1) {
    return report(node.place, fmt::format("'{}' takes one way only", field.key));
  }
  read_section(node, *field.table, field.open(owner));
}

void Reader::read_word_or_section(const YamlNode& node, const Field& field, void* owner) {
  if (node.kind == YamlNode::Kind::mapping)
    return read_section(node, *field.table, field.open(owner));
  const auto text = text_of(node, fmt::format("'{}' or a section", field.choices.front().word));
  if (!text) return;
  places_.note_section(field.open(owner), node.place);
  if (*text == field.choices.front().word) return;
  report(node.place,
         fmt::format("'{}' must be '{}' or a section, not '{}'", field.key,
                     field.choices.front().word, *text),
         suggestion_among(*text, field.choices));
}

std::optional<std::string> Reader::text_of(const YamlNode& node, std::string_view wanted) {
  if (node.kind != YamlNode::Kind::scalar) {
    report(node.place, fmt::format("expected {}, found {}", wanted, node.kind_text()));
    return std::nullopt;
  }
  return expanded(node);
}

std::optional<std::string> Reader::expanded(const YamlNode& node) {
  std::string_view rest = node.text;
  std::string text;
  for (std::size_t mark = rest.find("${"); mark != std::string_view::npos; mark = rest.find("${")) {
    if (mark > 0 && rest[mark - 1] == '$') {  // "$${" stands for "${"
      text += rest.substr(0, mark - 1);
      text += "${";
      rest.remove_prefix(mark + 2);
      continue;
    }
    text += rest.substr(0, mark);
    rest.remove_prefix(mark);
    constexpr std::string_view opening = "${env:";
    const std::size_t end = rest.find('}');
    const std::string_view name = rest.starts_with(opening) && end != std::string_view::npos
                                      ? rest.substr(opening.size(), end - opening.size())
                                      : std::string_view();
    if (!is_variable_name(name)) {
      report(node.place, "'${' begins ${env:NAME}; write '$${' for the characters themselves");
      return std::nullopt;
    }
    const auto value = world_.environment(std::string(name));
    if (!value) {
      report(node.place, fmt::format("the environment has no variable '{}'", name));
      return std::nullopt;
    }
    variables_.insert_or_assign(std::string(name), *value);
    text += *value;
    rest.remove_prefix(end + 1);
  }
  return text + std::string(rest);
}

}  // namespace sluice::config
