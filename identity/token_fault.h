// Why a token was refused: each reason has a name of its own, for records and metrics. Clients
// are told none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::identity {

enum class TokenFault : std::uint8_t {
  none,
  // Its shape.
  too_large,
  not_compact,
  encrypted,
  bad_base64,
  bad_json,
  repeated_member,
  too_complex,
  // Its header.
  no_algorithm,
  unsigned_token,
  symmetric_algorithm,
  unknown_algorithm,
  embedded_key,
  critical_header,
  nested_token,
  wrong_type,
  bad_key_id,
  // Whose it is, and by which key.
  no_issuer,
  unknown_issuer,
  algorithm_not_allowed,
  no_keys,
  keys_too_old,
  unknown_key,
  unfit_key,
  ambiguous_key,
  bad_signature,
  // What it says.
  no_expiry,
  bad_time,
  expired,
  not_yet_valid,
  issued_in_future,
  wrong_audience,
  wrong_party,
  bound_to_something,
  wrong_certificate,
  wrong_key,
  not_bound,
  security_event,
  no_subject,
  bad_subject,
  no_groups,
  bad_groups,
  too_many_groups,
  groups_overage,
  bad_actor,
  delegation_too_deep,
  // Of the gateway's own.
  incomplete,
  revoked,
  wrong_target,
  // Of the proof that its bearer has the key (RFC 9449).
  no_dpop,
  repeated_dpop,
  malformed_dpop,
  bad_dpop_key,
  bad_dpop_signature,
  wrong_dpop_method,
  wrong_dpop_uri,
  wrong_dpop_token,
  wrong_dpop_time,
  replayed_dpop,
  too_many_dpops,
  // Of what the issuer says of a token that only it can read (RFC 7662).
  introspection_failed,
  introspection_malformed,
  introspection_repeated_member,
  introspection_too_complex,
  introspection_undecided,
  inactive,
  wrong_issuer,
  wrong_token_type,
};
inline constexpr std::size_t token_faults =
    static_cast<std::size_t>(TokenFault::wrong_token_type) + 1;

/// A word: the label of the metric.
std::string_view name(TokenFault fault) noexcept;
/// A sentence for the record: says what is wrong, and nothing that stood in the token.
std::string_view text(TokenFault fault) noexcept;
/// Newer keys could change the verdict.
constexpr bool is_about_keys(TokenFault fault) noexcept {
  return fault == TokenFault::no_keys || fault == TokenFault::keys_too_old ||
         fault == TokenFault::unknown_key;
}
/// It is the issuer that failed: who shows such a token guesses nothing.
constexpr bool is_about_issuer(TokenFault fault) noexcept {
  return is_about_keys(fault) || (fault >= TokenFault::introspection_failed &&
                                  fault <= TokenFault::introspection_undecided);
}

}  // namespace sluice::identity
