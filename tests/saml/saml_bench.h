// A gateway with a provider, whose keys the tests have.
#pragma once

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/text_codec.h"
#include "base/timestamp.h"
#include "must.h"
#include "response_maker.h"
#include "saml/reader.h"
#include "saml/sign_in.h"
#include "test_certificates.h"

namespace sluice::test {

/// Made once per program: RSA keys take their time.
struct SamlKeys {
  Pem rsa = make_certificate({.common_name = "provider", .rsa_bits = 2048});
  Pem p256 = make_certificate({.common_name = "provider"});
  Pem stranger = make_certificate({.common_name = "stranger", .rsa_bits = 2048});
  Pem own = make_certificate({.common_name = "gateway", .rsa_bits = 2048});
};
inline const SamlKeys& saml_keys() {
  static const SamlKeys keys;
  return keys;
}

inline config::SamlProvider saml_settings() {
  config::SamlProvider out;
  out.name = "corp";
  out.issuer = SamlNames().issuer;
  out.sso_url = "https://id.example.com/sso";
  out.provider_certificates.text = saml_keys().rsa.certificate + saml_keys().p256.certificate;
  out.url = "https://gateway.example.com";
  out.key.value = saml_keys().own.key;
  out.certificate.text = saml_keys().own.certificate;
  out.groups_attribute = "groups";
  return out;
}

inline std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

inline std::string form_of(std::string_view response, std::string_view request) {
  return "SAMLResponse=" + percent_encoded(to_base64(as_bytes(response))) +
         "&RelayState=" + std::string(request);
}

struct SamlBench {
  explicit SamlBench(const config::SamlProvider& settings = saml_settings(),
                     saml::SignIns::AskReader ask = saml::answer)
      : provider(must(saml::ServiceProvider::make(settings))), sign_ins({1, 2, 3}, std::move(ask)) {
    must(saml::prepare_reader());
    begin();
  }

  /// Another request.
  void begin() {
    ++random[0];
    const auto begun = must(sign_ins.begin(*provider, now, random));
    browser_secret = begun.browser_secret;
    const std::string mark = "&RelayState=";
    const std::size_t at = begun.url.find(mark) + mark.size();
    names.request = begun.url.substr(at, begun.url.find('&', at) - at);
  }

  /// The assertion is signed.
  [[nodiscard]] std::string good() const {
    return signed_xml(response_xml(names, assertion_xml(names)), "_a1", saml_keys().rsa.key);
  }
  saml::Verdict finish(std::string_view response) {
    return sign_ins.finish(*provider, form_of(response, names.request), browser_secret, now);
  }

  WallTime now = *parse_timestamp(saml_now_text);
  SamlNames names;
  std::shared_ptr<const saml::ServiceProvider> provider;
  saml::SignIns sign_ins;
  std::array<std::uint8_t, saml::SignIns::random_bytes> random{};
  std::string browser_secret;
};

}  // namespace sluice::test
