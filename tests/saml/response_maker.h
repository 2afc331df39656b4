// An identity provider's half: responses as texts, and signatures over them.
#pragma once

#include <string>
#include <string_view>

namespace sluice::test {

/// How a signature is written. What the standard allows and the gateway does not is here, too.
struct SignatureForm {
  std::string method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
  std::string digest = "http://www.w3.org/2001/04/xmlenc#sha256";
  std::string canonicalization = "http://www.w3.org/2001/10/xml-exc-c14n#";
  std::string transforms =
      R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>)"
      R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>)";
  std::string uri = {};       ///< Empty: "#" and the ID of the element.
  std::string more = {};      ///< References behind the first.
  std::string key_info = {};  ///< And whatever else is behind the value.
};

inline constexpr std::string_view saml_now_text = "2027-01-15T08:00:00Z";

/// The names under which they are known, and what is asked.
struct SamlNames {
  std::string issuer = "https://id.example.com/saml";
  std::string consumer = "https://gateway.example.com/saml/acs";
  std::string audience = "https://gateway.example.com/saml/metadata";
  std::string request = {};
};

/// A good one of ann, in the groups staff and payments, unsigned.
std::string assertion_xml(const SamlNames& names, std::string_view id = "_a1",
                          std::string_view subject = "ann");
/// A good one that holds this, unsigned.
std::string response_xml(const SamlNames& names, std::string_view assertion,
                         std::string_view id = "_r1");

/// Puts a signature into the element of that ID, behind its issuer.
/// key  as PEM.
std::string signed_xml(const std::string& xml, std::string_view id, const std::string& key,
                       const SignatureForm& form = {});

/// A text with its first `from` replaced.
std::string with(std::string_view text, std::string_view from, std::string_view to);
/// From the first `begin` to the `end` behind it, both included.
std::string cut_out(std::string_view text, std::string_view begin, std::string_view end);

}  // namespace sluice::test
