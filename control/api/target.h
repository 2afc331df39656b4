// What a request's target names: a path and a query, taken apart strictly.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::control::api {

struct Target {
  std::string_view path;              ///< As it came.
  std::vector<std::string> segments;  ///< Of the path, decoded.
  /// In order, decoded; '+' is a space, as forms have it.
  std::vector<std::pair<std::string, std::string>> query;
};

/// Nothing: the target is not in origin form (RFC 9112 §3.2.1), or escapes something wrongly
/// (RFC 3986 §2.1), or a control character. Views point into `text`.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

/// `text` as part of a path or of a query.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace sluice::control::api
