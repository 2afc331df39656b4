// Patterns of names in client certificates, and texts that are made of what they matched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// Which of a certificate's names is looked at.
enum class CertificateName : std::uint8_t {
  spiffe,  ///< A URI of subjectAltName that is a SPIFFE ID.
  dns,     ///< Of subjectAltName, as the next.
  email,
  subject,  ///< The subject's distinguished name by RFC 4514: "CN=batch,O=Corp".
};

/// What stars stood for, in their order. They point into the name.
using Captures = std::vector<std::string_view>;

/// Why this is no pattern: more than one star between two separators of such a name, or "**"
/// anywhere but at the end of a SPIFFE ID.
[[nodiscard]] std::optional<std::string> certificate_pattern_fault(CertificateName kind,
                                                                   std::string_view pattern);
/// '*' stands for one or more characters up to a separator, "**" for what is left. So there is one
/// way at most in which a name fits.
[[nodiscard]] std::optional<Captures> match_certificate_name(CertificateName kind,
                                                             std::string_view pattern,
                                                             std::string_view name);

/// Why this cannot be filled: "{N}" of a star that the pattern has not, or braces around
/// something else.
[[nodiscard]] std::optional<std::string> template_fault(std::string_view text,
                                                        std::string_view pattern);
/// With "{1}" as what the first star stood for, and so on.
[[nodiscard]] std::string fill_template(std::string_view text, const Captures& captures);

}  // namespace sluice::config
