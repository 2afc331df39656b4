#include "control/http_message.h"

#include "parsers/http1/fields.h"

namespace sluice::control {

HttpFields copy_of(std::span<const http1::Field> fields) {
  HttpFields copy;
  copy.reserve(fields.size());
  for (const auto& field : fields) copy.emplace_back(field.name, field.value);
  return copy;
}

std::string_view field_value(const HttpFields& fields, std::string_view name) noexcept {
  for (const auto& [key, value] : fields) {
    if (http1::equal_ignoring_case(key, name)) return value;
  }
  return {};
}

}  // namespace sluice::control
