#include "identity/json_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace sluice::identity {
namespace {

/// Takes the parser's events. What it answers false to ends the parse.
class Builder {
 public:
  Builder(JsonValue& root, const JsonLimits& limits) : root_(root), limits_(limits) {}

  [[nodiscard]] JsonFault fault() const noexcept { return fault_; }

  // The names of the events are the library's.
  bool null() { return add(JsonValue::Kind::null) != nullptr; }
  bool boolean(bool value) {
    JsonValue* const added = add(JsonValue::Kind::boolean);
    if (added != nullptr) added->boolean = value;
    return added != nullptr;
  }
  bool number_integer(std::int64_t value) { return add_number(static_cast<double>(value)); }
  bool number_unsigned(std::uint64_t value) { return add_number(static_cast<double>(value)); }
  bool number_float(double value, const std::string& /*text*/) { return add_number(value); }
  bool string(std::string& value) {
    JsonValue* const added = add(JsonValue::Kind::text);
    if (added != nullptr) added->text = std::move(value);
    return added != nullptr;
  }
  bool binary(const nlohmann::json::binary_t& /*value*/) { return false; }  // not in JSON
  bool start_object(std::size_t /*size*/) { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t /*size*/) { return open(JsonValue::Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    std::vector<std::string>& names = open_.back()->names;
    if (names.size() == limits_.members_max) return refuse(JsonFault::too_large);
    if (std::ranges::find(names, name) != names.end()) return refuse(JsonFault::repeated_member);
    names.push_back(std::move(name));
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) {
    return false;
  }

 private:
  bool refuse(JsonFault fault) {
    fault_ = fault;
    return false;
  }
  JsonValue* add(JsonValue::Kind kind) {
    if (++values_ > limits_.values_max) {
      refuse(JsonFault::too_large);
      return nullptr;
    }
    JsonValue& value = open_.empty() ? root_ : open_.back()->items.emplace_back();
    value.kind = kind;
    return &value;
  }
  bool add_number(double value) {
    JsonValue* const added = add(JsonValue::Kind::number);
    if (added != nullptr) added->number = value;
    return added != nullptr;
  }
  bool open(JsonValue::Kind kind) {
    if (open_.size() == limits_.depth_max) return refuse(JsonFault::too_large);
    JsonValue* const added = add(kind);
    // Stays where it is while it is open: until then its parent takes no other.
    if (added != nullptr) open_.push_back(added);
    return added != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  JsonValue& root_;
  const JsonLimits& limits_;
  std::vector<JsonValue*> open_;
  std::size_t values_ = 0;
  JsonFault fault_ = JsonFault::malformed;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

const std::string* JsonValue::find_text(std::string_view name) const noexcept {
  const JsonValue* const found = find(name);
  return found != nullptr && found->kind == Kind::text ? &found->text : nullptr;
}

Result<JsonValue, JsonFault> read_json_object(std::string_view text, const JsonLimits& limits) {
  // The library skips a byte order mark, which RFC 8259 §8.1 has no sender write, and takes a
  // NUL for the end.
  if (text.starts_with('\xEF') || text.find('\0') != text.npos) {
    return tl::unexpected(JsonFault::malformed);
  }
  JsonValue root;
  Builder builder(root, limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return tl::unexpected(builder.fault());
  }
  if (root.kind != JsonValue::Kind::object) return tl::unexpected(JsonFault::malformed);
  return root;
}

}  // namespace sluice::identity
