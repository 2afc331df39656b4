// A strict reading of YAML: a tree of strings, lists and sections with places.
//
// Not here: anchors, aliases, tags, merge keys, directives, several documents.
// They are refused, so that what a reader sees is what is loaded and nothing
// can expand beyond the text's own size.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load/load.h"

namespace sluice::config {

struct YamlEntry;

struct YamlNode {
  enum class Kind : unsigned char { scalar, sequence, mapping };
  Kind kind = Kind::scalar;
  bool is_quoted = false;
  std::string text;                ///< Of a scalar.
  std::vector<YamlNode> items;     ///< Of a sequence.
  std::vector<YamlEntry> entries;  ///< Of a mapping, in the order of the file; keys differ.
  Place place;

  /// Nothing was written: "key:" alone, "~" or "null".
  [[nodiscard]] bool is_null() const noexcept;
  /// "a text", "a list" or "a section", for messages.
  [[nodiscard]] std::string_view kind_text() const noexcept;
};

struct YamlEntry {
  std::string key;
  Place key_place;
  YamlNode value;
};

struct YamlLimits {
  std::size_t bytes_max = std::size_t{1} << 20;
  std::size_t nodes_max = 100'000;
  std::size_t keys_max = 256;  ///< Of one section.
  std::size_t depth_max = 16;
};

/// nothing  the text cannot be read at all; `problems` says why.
/// Duplicate keys are reported and the first value kept.
std::optional<YamlNode> parse_yaml(std::string_view yaml, const std::string& name,
                                   const YamlLimits& limits, std::vector<Problem>& problems);

}  // namespace sluice::config
