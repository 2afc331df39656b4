#include "control/discovery.h"

#include <catch2/catch.hpp>
#include <map>

using namespace sluice;
using namespace sluice::control;

namespace {

config::OidcIssuer issuer_at(const std::string& url) {
  config::OidcIssuer issuer;
  issuer.issuer = url;
  return issuer;
}

/// A web of these pages.
GetUrl web(std::map<std::string, std::string> pages) {
  return [pages = std::move(pages)](const std::string& url, std::size_t) -> Result<std::string> {
    const auto page = pages.find(url);
    if (page == pages.end()) return fail(url + ": status 404");
    return page->second;
  };
}

}  // namespace

TEST_CASE("an issuer's keys are where its own document says") {
  const auto get =
      web({{"https://id/.well-known/openid-configuration",
            R"({"issuer":"https://id","jwks_uri":"https://keys.example/jwks"})"},
           {"https://id/realm/.well-known/openid-configuration",
            R"({"issuer":"https://id/realm/","jwks_uri":"http://127.0.0.1:1/k","scopes":["a"]})"},
           {"https://keys.example/jwks", "the keys"},
           {"http://127.0.0.1:1/k", "the realm's"}});
  CHECK(*discover_keys(issuer_at("https://id"), get) == "the keys");
  CHECK(*discover_keys(issuer_at("https://id/realm/"), get) == "the realm's");
}

TEST_CASE("an issuer is asked about tokens where its own document says") {
  const std::string url = "https://id/.well-known/openid-configuration";
  const auto asked_at = [&url](const std::string& document) {
    return discover_introspection(issuer_at("https://id"), web({{url, document}}));
  };
  CHECK(*asked_at(R"({"issuer":"https://id","introspection_endpoint":"https://id/i"})") ==
        "https://id/i");
  CHECK(asked_at(R"({"issuer":"https://other","introspection_endpoint":"https://id/i"})")
            .error()
            .message == url + ": it is the document of another issuer");
  for (const char* nowhere :
       {R"({"issuer":"https://id"})",
        R"({"issuer":"https://id","introspection_endpoint":"http://id/i"})"}) {
    CHECK(asked_at(nowhere).error().message ==
          url + ": its introspection_endpoint is not an https:// URL");
  }
}

TEST_CASE("a document that is not the issuer's, or leads elsewhere, is refused") {
  struct Case {
    const char* document;
    const char* why;
  };
  const Case cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({"issuer":"https://id","issuer":"https://id","jwks_uri":"https://k"})",
       "not a JSON object"},
      {R"({"jwks_uri":"https://k"})", "it is the document of another issuer"},
      {R"({"issuer":"https://id/","jwks_uri":"https://k"})",
       "it is the document of another issuer"},
      {R"({"issuer":"https://evil","jwks_uri":"https://k"})",
       "it is the document of another issuer"},
      {R"({"issuer":"https://id"})", "its jwks_uri is not an https:// URL"},
      {R"({"issuer":"https://id","jwks_uri":7})", "its jwks_uri is not an https:// URL"},
      {R"({"issuer":"https://id","jwks_uri":"http://k.example/jwks"})",
       "its jwks_uri is not an https:// URL"},
      {R"({"issuer":"https://id","jwks_uri":"file:///etc/passwd"})",
       "its jwks_uri is not an https:// URL"},
      {R"({"issuer":"https://id","jwks_uri":"https://u:p@k"})",
       "its jwks_uri is not an https:// URL"},
  };
  const std::string url = "https://id/.well-known/openid-configuration";
  for (const Case& bad : cases) {
    INFO(bad.document);
    const auto keys = discover_keys(issuer_at("https://id"), web({{url, bad.document}}));
    REQUIRE_FALSE(keys);
    CHECK(keys.error().message == url + ": " + bad.why);
  }
  CHECK(discover_keys(issuer_at("https://id"), web({})).error().message == url + ": status 404");
}
