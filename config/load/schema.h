// The table of every key: where its value goes, what it may be, what it means.
//
// The reader, docs/configuration.md and the JSON Schema all walk this table, so
// they cannot disagree. Defaults are not in it: they are read from a freshly
// made struct (config/model/settings.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/model/settings.h"

namespace sluice::config {

struct Table;

/// What a text must look like; see word_fault().
enum class Word : std::uint8_t {
  any,
  name,   ///< Of a listener or target: also a label of metrics.
  title,  ///< Of a rule or mask.
  sentence,
  subject,  ///< A principal's subject or group.
  method,
  path_glob,
  header_name,
  injected_header,  ///< One that the gateway may set without breaking the framing.
  expression,
  json_path,
  builtin,
  url_path,
  host_name,  ///< Or an IP address in digits.
  sql_class,
  sql_name,  ///< Of a relation or function, as a rule writes it.
  sql_column,
  file_path,
  http_url,
  issuer_url,
  page_url,  ///< Where a browser is sent, perhaps with a query.
  jws_algorithm,
  network,         ///< An address, or a range of them.
  public_key_pin,  ///< "sha256//BASE64", as curl has it.
  request_event,   ///< Of request_events.
  request_link,    ///< A URL with "{id}".
  variable,        ///< "NAME=VALUE" of an environment.
};

struct Choice {
  std::string_view word;
  std::uint64_t value;  ///< Of the enum.
  std::string_view sentence;
};

struct Field {
  enum class Kind : std::uint8_t {
    version,              ///< The number 1; stored nowhere.
    text,                 ///< std::string
    flag,                 ///< bool
    count,                ///< An unsigned integer.
    size,                 ///< Bytes, an unsigned integer.
    duration,             ///< Duration
    rate,                 ///< Rate
    choice,               ///< An enum.
    listen_address,       ///< SocketAddress, numeric.
    target_addresses,     ///< std::vector<SocketAddress>; names are resolved.
    secret,               ///< Secret
    file,                 ///< std::string, a path written as a reference.
    file_text,            ///< FileText: such a path, and what it holds.
    signing_key,          ///< SigningKey: such a path, or a URI.
    texts,                ///< std::vector<std::string>
    section,              ///< A nested struct.
    sections,             ///< A list of structs.
    builtins_or_section,  ///< "builtin:NAME", a list of them, or a section.
    choice_or_section,    ///< A word for the struct's kind, or a section that implies one.
    word_or_section,      ///< The only choice's word, for a section with nothing in it, or that.
    later,                ///< Named by the product, not in this version: an error that says so.
  };

  std::string_view key = {};
  Kind kind = Kind::text;
  bool is_required = false;
  std::string_view sentence = {};

  // How to reach the value in its struct; which are set depends on the kind.
  std::uint64_t (*get)(const void* owner) = nullptr;
  void (*set)(void* owner, std::uint64_t value) = nullptr;
  void* (*open)(void* owner) = nullptr;  ///< Makes the value when it is optional or a list's next.
  void (*reserve)(void* owner, std::size_t count) = nullptr;  ///< Of a list of structs.
  bool is_optional = false;

  Word word = Word::any;
  std::uint64_t min = 0;
  std::uint64_t max = UINT64_MAX;
  std::span<const Choice> choices = {};
  const Table* table = nullptr;
  std::size_t items_max = 0;
};

struct Table {
  std::string_view title;  ///< Heading in the documentation, e.g. "A listener".
  std::string_view path;   ///< Where it is, e.g. "listeners[].limits".
  std::string_view sentence;
  std::span<const Field> fields;
  void* (*make)() = nullptr;  ///< An owner that holds the defaults; lives for ever.
  Place* (*place)(void* owner) = nullptr;
};

const Table& root_table();
/// Of it the sections `policies` and `masks`: no key of theirs names a file, a variable or a
/// credential.
const Table& rules_table();
std::span<const Choice> builtin_finders();

/// What keeps `text` from being such a word.
std::optional<std::string> word_fault(Word word, std::string_view text);

/// A number of the struct as the configuration writes it: "16KiB", "10s", "true", "recorded".
std::string number_text(const Field& field, std::uint64_t number);

}  // namespace sluice::config
