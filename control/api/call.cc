#include "control/api/call.h"

#include <fmt/format.h>

#include "base/timestamp.h"

namespace sluice::control::api {

std::string Caller::name() const {
  return user ? fmt::format("user {}", *user) : who.subject;
}

std::string_view text(Besides besides) noexcept {
  switch (besides) {
    case Besides::nobody:
      return "nobody";
    case Besides::this_host:
      return "this-host";
    case Besides::proved:
      return "proved";
  }
  return "nobody";
}

std::string Asked::text(std::string_view name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? std::string() : found->second.text;
}

std::uint64_t Asked::count(std::string_view name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? 0 : static_cast<std::uint64_t>(found->second.number);
}

std::optional<bool> Asked::flag(std::string_view name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? std::nullopt : std::optional(found->second.boolean);
}

std::vector<std::string> Asked::texts(std::string_view name) const {
  std::vector<std::string> out;
  const auto found = arguments.find(name);
  if (found == arguments.end()) return out;
  for (const identity::JsonValue& item : found->second.items) out.push_back(item.text);
  return out;
}

std::optional<WallTime> Asked::time(std::string_view name) const {
  // It was checked to be one when the call was read.
  return has(name) ? parse_timestamp(text(name)) : std::nullopt;
}

std::vector<std::string_view> path_parameters(std::string_view path) {
  std::vector<std::string_view> names;
  for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at)) {
    const std::size_t end = path.find('}', at);
    names.push_back(path.substr(at + 1, end - at - 1));
    at = end;
  }
  return names;
}

}  // namespace sluice::control::api
