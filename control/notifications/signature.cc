#include "control/notifications/signature.h"

#include <fmt/format.h>

#include "audit/sha256.h"
#include "base/text_codec.h"

namespace sluice::control {

std::string webhook_signature(std::string_view secret, WallTime now, std::string_view body) {
  const std::string time = fmt::format("{}", now.ns / 1'000'000'000);
  const std::string signed_text = fmt::format("{}.{}", time, body);
  audit::Hash digest;
  audit::hmac_sha256(as_bytes(secret), as_bytes(signed_text), digest);
  return fmt::format("t={},v1={}", time, to_hex(digest));
}

}  // namespace sluice::control
