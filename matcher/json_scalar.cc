#include "matcher/json_scalar.h"

#include "matcher/byte_class.h"
#include "matcher/json_number.h"
#include "matcher/limits.h"

namespace sluice::matcher {

bool is_scalar(ByteView text) noexcept {
  const bool is_number = text[0] == '-' || is_digit(text[0]);
  return is_number ? text.size() <= json_number_bytes_max && is_json_number(text)
                   : is_json_literal(text.data(), text.size());
}

std::size_t scalar_end(ByteView in, std::size_t begin) noexcept {
  std::size_t end = begin;
  while (end < in.size() && is_scalar_byte(in[end])) ++end;
  return end;
}

}  // namespace sluice::matcher
