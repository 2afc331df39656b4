#include "control/api/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "audit/utf8.h"
#include "base/timestamp.h"

namespace sluice::control::api {
namespace {

using identity::JsonValue;
using Kind = JsonValue::Kind;
using Fault = std::optional<std::string>;

Fault wrong(const Member& member, std::string_view wanted) {
  return fmt::format("'{}' must be {}", member.name, wanted);
}

Fault fault_of_text(const std::string& text, const Member& member) {
  if (!audit::is_utf8(text)) return wrong(member, "text in UTF-8");
  if (member.max != 0 && text.size() > member.max) {
    return wrong(member, fmt::format("of at most {} bytes", member.max));
  }
  if (member.kind == Member::Kind::time && !parse_timestamp(text)) {
    return wrong(member, "a time such as 2026-11-21T10:00:00Z");
  }
  if (!member.words.empty() && std::ranges::find(member.words, text) == member.words.end()) {
    return wrong(member, fmt::format("one of: {}", fmt::join(member.words, ", ")));
  }
  return std::nullopt;
}

Fault fault_of_count(double number, const Member& member) {
  const std::uint64_t max = member.max != 0 ? member.max : count_max;
  // Written so that what is no number fails, too.
  const bool is_count = number >= 0 && number <= static_cast<double>(max);
  if (is_count && std::trunc(number) == number) return std::nullopt;
  return wrong(member, fmt::format("a whole number from 0 to {}", max));
}

Fault fault_of_object(const JsonValue& value, const Member& member) {
  if (member.shape != nullptr) return fault_of(value, *member.shape);
  return value.kind == Kind::object ? std::nullopt : wrong(member, "an object");
}

Fault fault_of_list(const JsonValue& list, const Member& member) {
  if (member.max != 0 && list.items.size() > member.max) {
    return wrong(member, fmt::format("a list of at most {}", member.max));
  }
  const bool are_texts = member.kind == Member::Kind::texts;
  for (const JsonValue& item : list.items) {
    if (are_texts && item.kind != Kind::text) return wrong(member, "a list of texts");
    if (are_texts) continue;
    if (Fault fault = fault_of_object(item, member)) return fault;
  }
  return std::nullopt;
}

}  // namespace

Fault fault_of(const JsonValue& value, const Member& member) {
  switch (member.kind) {
    case Member::Kind::text:
    case Member::Kind::time:
      return value.kind == Kind::text ? fault_of_text(value.text, member) : wrong(member, "a text");
    case Member::Kind::count:
      if (value.kind != Kind::number) return wrong(member, "a whole number");
      return fault_of_count(value.number, member);
    case Member::Kind::number:
      return value.kind == Kind::number ? std::nullopt : wrong(member, "a number");
    case Member::Kind::flag:
      return value.kind == Kind::boolean ? std::nullopt : wrong(member, "true or false");
    case Member::Kind::texts:
    case Member::Kind::objects:
      return value.kind == Kind::array ? fault_of_list(value, member) : wrong(member, "a list");
    case Member::Kind::object:
      return fault_of_object(value, member);
  }
  return wrong(member, "something else");
}

Fault fault_of(const JsonValue& value, const Shape& shape) {
  if (value.kind != Kind::object) return fmt::format("a {} is a JSON object", shape.name);
  for (const std::string& name : value.names) {
    if (std::ranges::find(shape.members, name, &Member::name) == shape.members.end()) {
      // Its name is not repeated: answers and records have nothing of what nobody asked for.
      return fmt::format("there is a member that a {} does not have", shape.name);
    }
  }
  for (const Member& member : shape.members) {
    const JsonValue* const found = value.find(member.name);
    if (found == nullptr && member.is_required) {
      return fmt::format("a {} needs '{}'", shape.name, member.name);
    }
    if (found == nullptr) continue;
    if (Fault fault = fault_of(*found, member)) return fault;
  }
  return std::nullopt;
}

JsonValue value_of(std::string text, const Member& member) {
  JsonValue value;
  if (member.kind == Member::Kind::texts) {
    value.kind = Kind::array;
    value.items.push_back(value_of(std::move(text), {.name = member.name, .sentence = {}}));
    return value;
  }
  if (member.kind == Member::Kind::flag && (text == "true" || text == "false")) {
    value.kind = Kind::boolean;
    value.boolean = text == "true";
    return value;
  }
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  if (member.kind == Member::Kind::count) {
    const auto read = std::from_chars(text.data(), end, count);
    if (read.ec == std::errc() && read.ptr == end && count <= count_max) {
      value.kind = Kind::number;
      value.number = static_cast<double>(count);
      return value;
    }
  }
  value.kind = Kind::text;
  value.text = std::move(text);
  return value;
}

}  // namespace sluice::control::api
