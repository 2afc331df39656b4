// Who is calling, and how we know.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"

namespace sluice::config {

/// How a principal proved who it is.
enum class Proof : unsigned char {
  none,
  api_key,
  oidc,
  gateway_token,
  certificate,
  saml,
  introspection,
};

/// What records call it.
constexpr std::string_view text(Proof proof) noexcept {
  switch (proof) {
    case Proof::none:
      return "none";
    case Proof::api_key:
      return "api-key";
    case Proof::oidc:
      return "oidc";
    case Proof::gateway_token:
      return "gateway-token";
    case Proof::certificate:
      return "mtls";
    case Proof::saml:
      return "saml";
    case Proof::introspection:
      return "introspection";
  }
  return "none";
}

/// Who acts for somebody: one link of a delegation (RFC 8693 §4.1, "act").
struct Actor {
  std::string subject;
  std::string issuer;
};

struct Principal {
  std::string subject;  ///< Empty for the anonymous principal.
  std::string issuer;   ///< Who vouches: "api_keys", "mtls" or an identity provider's name.
  std::vector<std::string> groups;
  Proof proof = Proof::none;
  std::string target;  ///< That the credential is good for; empty: any.
  /// What the credential is good with; empty: anything. SHA-256 of the client's certificate
  /// (RFC 8705 §3), and of a key of the client's (RFC 9449 §6, RFC 7638), as bytes.
  std::string bound_certificate;
  std::string bound_key;
  std::string credential_id;  ///< Names the credential in records; never the secret.
  /// Who acts for the subject, nearest first: of user → agent → tool the tool, then the agent.
  std::vector<Actor> actors;
  WallTime expires{INT64_MAX};
};

}  // namespace sluice::config
