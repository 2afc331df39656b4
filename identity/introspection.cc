#include "identity/introspection.h"

#include "identity/json_value.h"
#include "identity/token_claims.h"

namespace sluice::identity {
namespace {

TokenFault fault_of(JsonFault fault) noexcept {
  switch (fault) {
    case JsonFault::malformed:
      return TokenFault::introspection_malformed;
    case JsonFault::repeated_member:
      return TokenFault::introspection_repeated_member;
    case JsonFault::too_large:
      return TokenFault::introspection_too_complex;
  }
  return TokenFault::introspection_malformed;
}

}  // namespace

IntrospectionVerdict judge_introspection(std::string_view said, const config::OidcIssuer& issuer,
                                         std::string_view token, WallTime now) {
  if (said.size() > introspection_bytes_max) {
    return tl::unexpected(TokenFault::introspection_too_complex);
  }
  const auto object = read_json_object(said, {});
  if (!object) return tl::unexpected(fault_of(object.error()));
  const JsonValue* const active = object->find("active");
  if (active == nullptr || active->kind != JsonValue::Kind::boolean) {
    return tl::unexpected(TokenFault::introspection_undecided);
  }
  if (!active->boolean) return tl::unexpected(TokenFault::inactive);
  config::Principal principal;
  const TokenFault fault = read_introspection(*object, issuer, token, now, principal);
  if (fault != TokenFault::none) return tl::unexpected(fault);
  return principal;
}

}  // namespace sluice::identity
