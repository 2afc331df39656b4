// Signature algorithms of tokens: all that are asymmetric. None and HMAC are not among them.
//
// source   RFC 7518 §3.1, RFC 8037 §3.1
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::config {

enum class JwsAlgorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,
};

/// In the order of the enum.
inline constexpr std::array<std::string_view, 10> jws_algorithm_names{
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};

/// Names have a case.
constexpr std::optional<JwsAlgorithm> jws_algorithm(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(jws_algorithm_names, name);
  if (found == jws_algorithm_names.end()) return std::nullopt;
  return static_cast<JwsAlgorithm>(found - jws_algorithm_names.begin());
}

}  // namespace sluice::config
