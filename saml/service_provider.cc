#include "saml/service_provider.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <climits>
#include <vector>

#include "base/ascii.h"
#include "base/text_codec.h"
#include "base/timestamp.h"

namespace sluice::saml {
namespace {

constexpr std::string_view rsa_sha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
constexpr int rsa_bits_min = 2048;

struct Free {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

std::unique_ptr<BIO, Free> reading(std::string_view text) {
  return std::unique_ptr<BIO, Free>(
      text.size() > INT_MAX ? nullptr
                            : BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// For texts and values of attributes (XML 1.0 §2.4 and §3.3.3).
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// RFC 3986 §2.1: all but the unreserved characters.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view unreserved = "-._~";
  std::string out;
  for (const char c : text) {
    const bool is_plain = is_letter_or_digit(c) || unreserved.find(c) != unreserved.npos;
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// RFC 1951 §3.2.4: one block, stored; a request is too short for compression to matter.
std::string deflated(std::string_view text) {
  const auto size = static_cast<std::uint16_t>(text.size());
  const auto low = [](unsigned value) { return static_cast<char>(value & 0xFFU); };
  const unsigned inverse = ~unsigned{size};
  std::string out{'\1', low(size), low(unsigned{size} >> 8U), low(inverse), low(inverse >> 8U)};
  return out.append(text);
}

std::string metadata_of(const config::SamlProvider& settings, const std::string& certificate) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}">
  <md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:X509Data>
          <ds:X509Certificate>{}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{}" index="0" isDefault="true"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
)",
      escaped(settings.own_entity_id()), certificate, escaped(settings.consumer_url()));
}

std::string request_of(const config::SamlProvider& settings, std::string_view id, WallTime now) {
  return fmt::format(R"(<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" )"
                     R"(xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{}" Version="2.0" )"
                     R"(IssueInstant="{}" Destination="{}" AssertionConsumerServiceURL="{}" )"
                     R"(ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST">)"
                     R"(<saml:Issuer>{}</saml:Issuer></samlp:AuthnRequest>)",
                     id, timestamp_text(now), escaped(settings.sso_url),
                     escaped(settings.consumer_url()), escaped(settings.own_entity_id()));
}

Result<std::string> sign(EVP_PKEY* key, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::vector<std::uint8_t> out(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = out.size();
  const bool done =
      context != nullptr &&
      EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key, nullptr) ==
          1 &&
      EVP_DigestSign(context.get(), out.data(), &size, as_bytes(text).data(), text.size()) == 1;
  if (!done) {
    ERR_clear_error();
    return fail("the request to the identity provider cannot be signed");
  }
  return to_base64(ByteView(out).first(size));
}

/// The certificate's DER, as metadata has it. errors  see ServiceProvider::make
Result<std::string> certificate_for(const EVP_PKEY* key, const std::string& pem) {
  const auto bio = reading(pem);
  const std::unique_ptr<X509, Free> certificate(
      bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  unsigned char* der = nullptr;
  const int size = certificate ? i2d_X509(certificate.get(), &der) : -1;
  const bool fits = size > 0 && X509_check_private_key(certificate.get(), key) == 1;
  std::string out;
  if (size > 0) out = to_base64({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  ERR_clear_error();
  if (size <= 0) return fail("identity.saml.certificate: it is no certificate as PEM");
  if (!fits) return fail("identity.saml.certificate: it is not of the key in identity.saml.key");
  return out;
}

}  // namespace

Result<std::shared_ptr<const ServiceProvider>> ServiceProvider::make(
    const config::SamlProvider& settings) {
  auto out = std::shared_ptr<ServiceProvider>(new ServiceProvider());
  out->settings_ = settings;
  auto provider = ProviderKeys::read(settings.provider_certificates.text);
  if (!provider) {
    return fail("identity.saml.provider_certificates: " + provider.error().message);
  }
  out->provider_ = std::move(*provider);
  const auto bio = reading(settings.key.value);
  // Nobody is asked for a passphrase: that of a key that has one is not the empty text.
  std::string passphrase;
  out->key_ = {
      bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, passphrase.data()) : nullptr,
      EVP_PKEY_free};
  ERR_clear_error();
  // One algorithm that every provider knows; the forms of ECDSA in URLs differ between them.
  if (!out->key_ || EVP_PKEY_is_a(out->key_.get(), "RSA") != 1 ||
      EVP_PKEY_get_bits(out->key_.get()) < rsa_bits_min) {
    return fail("identity.saml.key: it is no RSA key from 2048 bits as PEM");
  }
  const auto certificate = certificate_for(out->key_.get(), settings.certificate.text);
  if (!certificate) return tl::unexpected(certificate.error());
  out->metadata_ = metadata_of(settings, *certificate);
  return std::shared_ptr<const ServiceProvider>(std::move(out));
}

Result<std::string> ServiceProvider::sign_in_url(std::string_view request, WallTime now) const {
  const std::string xml = request_of(settings_, request, now);
  const std::string query = fmt::format("SAMLRequest={}&RelayState={}&SigAlg={}",
                                        percent_encoded(to_base64(as_bytes(deflated(xml)))),
                                        percent_encoded(request), percent_encoded(rsa_sha256));
  // §3.4.4.1: the signature is over the query as it is sent.
  const auto signature = sign(key_.get(), query);
  if (!signature) return tl::unexpected(signature.error());
  const char joint = settings_.sso_url.find('?') == std::string::npos ? '?' : '&';
  return fmt::format("{}{}{}&Signature={}", settings_.sso_url, joint, query,
                     percent_encoded(*signature));
}

}  // namespace sluice::saml
