#include "matcher/json_number.h"

#include "matcher/byte_class.h"

namespace sluice::matcher {

bool is_json_number(ByteView token) noexcept {
  std::size_t at = 0;
  const auto take = [&](char c) {
    const bool is_there = at < token.size() && token[at] == static_cast<std::uint8_t>(c);
    if (is_there) ++at;
    return is_there;
  };
  const auto take_digits = [&] {
    const std::size_t begin = at;
    while (at < token.size() && is_digit(token[at])) ++at;
    return at > begin;
  };
  take('-');
  if (!take('0') && !take_digits()) return false;  // A leading zero stands alone.
  if (take('.') && !take_digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    if (!take_digits()) return false;
  }
  return at == token.size();
}

}  // namespace sluice::matcher
