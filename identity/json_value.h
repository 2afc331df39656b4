// Small JSON objects that others sign or publish, read strictly: tokens and key sets.
//
// source   RFC 8259; RFC 7515 §4 and RFC 7519 §4 let a reader refuse repeated members
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::identity {

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };

  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string text;
  std::vector<JsonValue> items;    ///< Of an array; of an object, the values of its members.
  std::vector<std::string> names;  ///< Of an object's members, in the order of `items`.

  /// Null when there is no such member, or this is no object.
  [[nodiscard]] const JsonValue* find(std::string_view name) const noexcept;
  /// The same, when the member is a text.
  [[nodiscard]] const std::string* find_text(std::string_view name) const noexcept;
};

struct JsonLimits {
  std::size_t depth_max = 8;
  std::size_t values_max = 2048;  ///< At any depth, members' values among them.
  std::size_t members_max = 128;  ///< Of one object.
};

enum class JsonFault : std::uint8_t {
  malformed,        ///< Not one JSON object in UTF-8 with nothing before or behind it.
  repeated_member,  ///< At any level: which one counts would be a guess.
  too_large,        ///< Beyond the limits.
};

Result<JsonValue, JsonFault> read_json_object(std::string_view text, const JsonLimits& limits);

}  // namespace sluice::identity
