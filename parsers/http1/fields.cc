#include "parsers/http1/fields.h"

#include "base/ascii.h"
#include "parsers/http1/known_names.h"
#include "parsers/http1/scan.h"

namespace sluice::http1 {
namespace {

constexpr char variable_letter(char c) noexcept {
  return c == '_' ? '-' : lower_of(c);
}

constexpr std::string_view fixed_role_names[] = {
    "age",           "allow",
    "cache-control", "content-range",
    "cookie",        "expires",
    "if-match",      "if-modified-since",
    "if-none-match", "if-unmodified-since",
    "location",      "max-forwards",
    "pragma",        "retry-after",
    "set-cookie",    "vary",
    "warning",       "www-authenticate",
};

constexpr bool is_whitespace(char c) noexcept {
  return c == ' ' || c == '\t';
}

}  // namespace

FieldName field_name_of(std::string_view name) noexcept {
  return name.empty() ? FieldName::other : known_name(name);
}

Method method_of(std::string_view text) noexcept {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      if (text == "TRACE") return Method::trace;
      break;
    case 6:
      if (text == "DELETE") return Method::delete_;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      if (text == "CONNECT") return Method::connect;
      break;
    default:
      break;
  }
  return Method::other;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower_of(a[i]) != lower_of(b[i])) return false;
  }
  return true;
}

bool equal_as_variables(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (variable_letter(a[i]) != variable_letter(b[i])) return false;
  }
  return true;
}

bool is_token(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return !text.empty() && scan::end_of_run<scan::Token>(text.data(), text.data(), end) == end;
}

bool next_list_element(std::string_view& list, std::string_view& element) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view found = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!found.empty() && is_whitespace(found.front())) found.remove_prefix(1);
    while (!found.empty() && is_whitespace(found.back())) found.remove_suffix(1);
    if (!found.empty()) {
      element = found;
      return true;
    }
  }
  return false;
}

bool is_always_hop_by_hop(FieldName name) noexcept {
  switch (name) {
    case FieldName::connection:
    case FieldName::keep_alive:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::proxy_connection:
    case FieldName::te:
    case FieldName::trailer:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
      return true;
    default:
      return false;
  }
}

bool has_fixed_role(std::string_view name) noexcept {
  if (field_name_of(name) != FieldName::other) return true;
  for (const std::string_view fixed : fixed_role_names) {
    if (equal_ignoring_case(name, fixed)) return true;
  }
  return false;
}

}  // namespace sluice::http1
