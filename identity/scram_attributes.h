// SCRAM's messages are lists of attributes, "r=abc,s=def". Inside this room only.
#pragma once

#include <optional>
#include <string_view>

#include "base/ascii.h"

namespace sluice::identity {

/// RFC 5802 §7: printable, without the comma.
constexpr bool is_nonce(std::string_view text) noexcept {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7E || c == ',') return false;
  }
  return !text.empty();
}

/// Takes attributes off a message from the left.
class ScramAttributes {
 public:
  explicit ScramAttributes(std::string_view message) noexcept : rest_(message) {}

  /// The value of the next attribute, if it is `name`'s.
  std::optional<std::string_view> take(char name) noexcept {
    if (is_over_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') return std::nullopt;
    const std::string_view value = rest_.substr(2, rest_.find(',') - 2);
    rest_.remove_prefix(2 + value.size());
    is_over_ = rest_.empty();
    if (!is_over_) rest_.remove_prefix(1);
    return value;
  }

  /// Passes over extensions that need not be understood, up to one named `before`, or
  /// to the end. False when something else stands there.
  bool skip_extensions(char before = 0) noexcept {
    while (!is_over_ && (rest_.empty() || rest_[0] != before)) {
      if (rest_.empty() || !is_letter(rest_[0])) return false;
      const auto value = take(rest_[0]);
      if (!value || value->empty()) return false;
    }
    return true;
  }

  /// What is not taken yet.
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }

 private:
  std::string_view rest_;
  bool is_over_ = false;
};

}  // namespace sluice::identity
