// Tokens that only their issuer can read: what its answer about one proves. Pure: asking it is
// another matter (control/introspector.h).
//
// source   RFC 7662 §2.2 (token introspection), RFC 8705 §3.2 and RFC 9449 §6.2 (of bound tokens)
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/principal.h"
#include "config/model/settings.h"
#include "identity/token_fault.h"

namespace sluice::identity {

inline constexpr std::size_t introspection_bytes_max = std::size_t{64} << 10;

/// Whom a token proves, or why nobody.
using IntrospectionVerdict = Result<config::Principal, TokenFault>;
/// Takes the verdict on one token, once, on any thread.
using AnswerIntrospection = std::function<void(IntrospectionVerdict)>;

/// Whom a token proves by what its issuer says of it, but for what its bearer must have beside it
/// (check_possession() in identity/oidc.h).
///
/// said     the body of the answer: JSON, which is read as strictly as a token.
/// issuer   that was asked, with `introspection`.
/// token    to name it where it has no `jti` that may be shown.
/// returns  a principal whose `expires` is also when the answer is too old to be believed.
IntrospectionVerdict judge_introspection(std::string_view said, const config::OidcIssuer& issuer,
                                         std::string_view token, WallTime now);

}  // namespace sluice::identity
