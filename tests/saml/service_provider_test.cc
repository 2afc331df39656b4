// What this gateway tells the provider of itself, and how it asks.
#include "saml/service_provider.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <functional>

#include "base/ascii.h"
#include "saml_bench.h"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string parameter(const std::string& url, const std::string& name) {
  const std::size_t at = url.find(name + "=") + name.size() + 1;
  std::string out;
  for (std::size_t i = at; i < url.size() && url[i] != '&'; ++i) {
    if (url[i] != '%') {
      out += url[i];
      continue;
    }
    out += static_cast<char>(hex_value(url[i + 1]) * 16 + hex_value(url[i + 2]));
    i += 2;
  }
  return out;
}

std::string inflated(const std::string& bytes) {
  std::string out(8192, '\0');
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, -15) == Z_OK);  // raw, as the binding has it
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

bool is_signed_by(const std::string& certificate, std::string_view text, ByteView signature) {
  BIO* const bio = BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size()));
  X509* const read = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool holds = EVP_DigestVerifyInit_ex(context, nullptr, "SHA256", nullptr, nullptr,
                                             X509_get0_pubkey(read), nullptr) == 1 &&
                     EVP_DigestVerify(context, signature.data(), signature.size(),
                                      as_bytes(text).data(), text.size()) == 1;
  EVP_MD_CTX_free(context);
  X509_free(read);
  BIO_free(bio);
  return holds;
}

}  // namespace

TEST_CASE("The browser is sent to the provider with a signed request") {
  const SamlBench bench;
  const std::string url = must(bench.provider->sign_in_url("_r", bench.now));
  CHECK(url.starts_with("https://id.example.com/sso?SAMLRequest="));
  CHECK(parameter(url, "RelayState") == "_r");
  CHECK(inflated(std::string(as_text(*from_base64(parameter(url, "SAMLRequest"))))) ==
        R"(<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" )"
        R"(xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" )"
        R"(IssueInstant="2027-01-15T08:00:00Z" Destination="https://id.example.com/sso" )"
        R"(AssertionConsumerServiceURL="https://gateway.example.com/saml/acs" )"
        R"(ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST">)"
        R"(<saml:Issuer>https://gateway.example.com/saml/metadata</saml:Issuer>)"
        R"(</samlp:AuthnRequest>)");
  const std::size_t begin = url.find('?') + 1;
  const std::size_t end = url.find("&Signature=");
  CHECK(is_signed_by(saml_keys().own.certificate, url.substr(begin, end - begin),
                     *from_base64(parameter(url, "Signature"))));
}

TEST_CASE("A page with a query keeps it") {
  config::SamlProvider settings = saml_settings();
  settings.sso_url = "https://id.example.com/sso?idp=1&x";
  const auto provider = must(saml::ServiceProvider::make(settings));
  const std::string url = must(provider->sign_in_url("_r", {}));
  CHECK(url.starts_with("https://id.example.com/sso?idp=1&x&SAMLRequest="));
}

TEST_CASE("The metadata name the gateway, its key and where responses go") {
  config::SamlProvider settings = saml_settings();
  settings.entity_id = "urn:sluice:\"<&>";
  const auto provider = must(saml::ServiceProvider::make(settings));
  const std::string& text = provider->metadata();
  CHECK(text.find(R"(entityID="urn:sluice:&quot;&lt;&amp;&gt;")") != text.npos);
  CHECK(text.find(R"(Location="https://gateway.example.com/saml/acs")") != text.npos);
  std::string pem = with(cut_out(saml_keys().own.certificate, "MII", "-----END"), "-----END", "");
  std::erase(pem, '\n');
  CHECK(text.find(fmt::format(">{}<", pem)) != text.npos);
}

TEST_CASE("Keys that are none, too short or of another certificate stop the start") {
  const auto refused = [](const std::function<void(config::SamlProvider&)>& change) {
    config::SamlProvider settings = saml_settings();
    change(settings);
    const auto made = saml::ServiceProvider::make(settings);
    return made ? std::string() : made.error().message;
  };
  const std::string none = "no PEM";
  const std::string empty;
  const Pem short_rsa = make_certificate({.rsa_bits = 1024});
  const Pem edwards = make_certificate({.is_ed25519 = true});
  CHECK(refused([&](auto& s) { s.key.value = none; }) ==
        "identity.saml.key: it is no RSA key from 2048 bits as PEM");
  CHECK(refused([&](auto& s) { s.key.value = short_rsa.key; }) ==
        "identity.saml.key: it is no RSA key from 2048 bits as PEM");
  CHECK(refused([](auto& s) { s.key.value = saml_keys().p256.key; }) ==
        "identity.saml.key: it is no RSA key from 2048 bits as PEM");
  CHECK(refused([&](auto& s) { s.certificate.text = none; }) ==
        "identity.saml.certificate: it is no certificate as PEM");
  CHECK(refused([](auto& s) { s.certificate.text = saml_keys().rsa.certificate; }) ==
        "identity.saml.certificate: it is not of the key in identity.saml.key");
  CHECK(refused([&](auto& s) { s.provider_certificates.text = empty; }) ==
        "identity.saml.provider_certificates: it does not hold certificates as PEM alone");
  for (const Pem* weak : {&short_rsa, &edwards}) {
    CHECK(refused([&](auto& s) { s.provider_certificates.text = weak->certificate; }) ==
          "identity.saml.provider_certificates: the key of certificate 1 is not RSA from 2048 "
          "bits, P-256 or P-384");
  }
}
