// Client certificates: what a verified one says and the operator's rules in, a principal or a
// named fault out. Pure; that the certificate holds, TLS has verified.
//
// source   RFC 5280 §4.2.1.6 (names), SPIFFE-ID §2 and X509-SVID §2, RFC 4514 (distinguished names)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "config/model/identity_settings.h"
#include "config/model/principal.h"
#include "identity/secret_hash.h"

namespace sluice::identity {

/// Of a name that a rule looks at.
inline constexpr std::size_t certificate_name_bytes_max = 512;
/// Of what a rule makes of it, as of a token's claims.
inline constexpr std::size_t certificate_text_bytes_max = 256;

/// What a certificate says of its holder.
struct CertificateFacts {
  std::vector<std::string> uris;  ///< Of subjectAltName, in their order, byte for byte.
  std::vector<std::string> dns;
  std::vector<std::string> emails;
  std::string subject;      ///< The distinguished name by RFC 4514: "CN=batch,O=Corp".
  std::string serial;       ///< In hexadecimal digits, as `openssl x509 -serial` shows it.
  Digest fingerprint{};     ///< SHA-256 of its DER.
  WallTime good_until;      ///< The first end of a certificate in its chain.
  bool is_readable = true;  ///< Its names could be read, and were not too many.
};

/// Why a certificate does not prove who calls.
enum class CertificateFault : std::uint8_t {
  none,
  unmapped,   ///< No rule fits any of its names.
  ambiguous,  ///< Several of its names fit one rule, or it has several SPIFFE IDs.
  malformed,  ///< A name that cannot be one: a wildcard, control characters, too long.
  // It does not hold, or no longer: whoever shows it is refused, whatever else they show.
  missing,  ///< The listener requires one.
  expired,  ///< Or what says that it was not revoked has.
  revoked,
  untrusted,  ///< Its authority is trusted no longer.
};
inline constexpr std::size_t certificate_faults = 8;

/// "certificate_unmapped"
std::string_view text(CertificateFault fault) noexcept;
/// As metrics name it: "unmapped".
std::string_view name(CertificateFault fault) noexcept;

/// Whether a connection with it is refused altogether, and not only nobody proved by it.
[[nodiscard]] constexpr bool ends_trust(CertificateFault fault) noexcept {
  return fault >= CertificateFault::missing;
}

struct CertificateVerdict {
  CertificateFault fault = CertificateFault::none;
  config::Principal principal;  ///< Without a fault.
};

/// rules  in their order: the first that fits one of the certificate's names says who it is.
///        None: who has one SPIFFE ID is that.
[[nodiscard]] CertificateVerdict map_certificate(const CertificateFacts& facts,
                                                 std::span<const config::CertificateRule> rules);

/// SPIFFE-ID §2: "spiffe://", a trust domain in small letters, segments that are no dots.
[[nodiscard]] bool is_spiffe_id(std::string_view text) noexcept;

}  // namespace sluice::identity
