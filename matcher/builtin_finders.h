// The built-in finders: each a cheap trigger and an exact check behind it.
// docs/masks.md states what each one finds; the code follows it word by word.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "matcher/window.h"

namespace sluice::matcher {

enum class Builtin : std::uint8_t {
  payment_card,
  iban,
  us_ssn,
  email,
  phone,
  jwt,
  aws_key,
  bearer_token,
  ip,
};

/// Builtins as bits, by their number.
using BuiltinSet = std::uint16_t;
constexpr BuiltinSet bit_of(Builtin builtin) noexcept {
  return static_cast<BuiltinSet>(1U << static_cast<unsigned>(builtin));
}
inline constexpr std::size_t builtin_count = 9;
inline constexpr BuiltinSet all_builtins_set = (1U << builtin_count) - 1;

inline constexpr std::array<std::string_view, builtin_count> builtin_names_table = {
    "payment-card", "iban", "us-ssn", "email", "phone", "jwt", "aws-key", "bearer-token", "ip"};

std::optional<Builtin> builtin_of(std::string_view name) noexcept;

/// Adds every match that begins in [window.undecided, window.horizon()).
void find_builtin(Builtin builtin, const Window& window, MatchTable& out) noexcept;

void find_payment_cards(const Window& window, MatchTable& out) noexcept;
void find_ibans(const Window& window, MatchTable& out) noexcept;
void find_us_ssns(const Window& window, MatchTable& out) noexcept;
void find_emails(const Window& window, MatchTable& out) noexcept;
void find_phones(const Window& window, MatchTable& out) noexcept;
void find_jwts(const Window& window, MatchTable& out) noexcept;
void find_aws_keys(const Window& window, MatchTable& out) noexcept;
void find_bearer_tokens(const Window& window, MatchTable& out) noexcept;
void find_ips(const Window& window, MatchTable& out) noexcept;

/// End of a run of base64url characters and dots.
std::size_t end_of_jwt_run(const Window& window, std::size_t from) noexcept;

/// Each check below takes the match's first byte and gives its end, or nothing.
/// No letter or digit stands before a `start` of phone_at and ipv4_at.
std::optional<std::size_t> payment_card_at(const Window& window, std::size_t start) noexcept;
std::optional<std::size_t> iban_at(const Window& window, std::size_t start) noexcept;
std::optional<std::size_t> us_ssn_at(const Window& window, std::size_t start) noexcept;
std::optional<std::size_t> phone_at(const Window& window, std::size_t start) noexcept;
std::optional<std::size_t> ipv4_at(const Window& window, std::size_t start) noexcept;

}  // namespace sluice::matcher
