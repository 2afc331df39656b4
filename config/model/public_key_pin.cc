#include "config/model/public_key_pin.h"

#include <algorithm>

#include "base/text_codec.h"

namespace sluice::config {

std::optional<PublicKeyPin> parse_public_key_pin(std::string_view text) {
  constexpr std::string_view prefix = "sha256//";
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto bytes = from_base64(text.substr(prefix.size()));
  PublicKeyPin pin;
  if (!bytes || bytes->size() != pin.size()) return std::nullopt;
  std::ranges::copy(*bytes, pin.begin());
  return pin;
}

}  // namespace sluice::config
