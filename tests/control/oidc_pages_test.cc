// The pages of a sign-in by OpenID Connect: what a browser is sent, sends, and is shown.
#include "control/oidc_pages.h"

#include <catch2/catch.hpp>

#include "base/text_codec.h"
#include "control/api/target.h"

using namespace sluice;
using namespace sluice::control;

namespace {

constexpr const char* document =
    R"({"issuer":"https://id.test","token_endpoint":"https://id.test/token",)"
    R"("authorization_endpoint":"https://id.test/auth"})";

config::OidcIssuer issuer(const std::string& name) {
  config::OidcIssuer out;
  out.name = name;
  out.issuer = "https://id.test";
  out.audience = "sluice";
  out.login.emplace();
  out.login->client_id = "sluice";
  out.login->scopes = {"openid", "offline_access"};
  return out;
}

struct Refused {
  std::string issuer;
  std::string reason;
  std::string peer;
};

struct Pages {
  std::vector<config::OidcIssuer> issuers{issuer("corp"), issuer("other")};
  bool has_saml = false;
  std::string nonce;  ///< Of the ID token that the provider gives.
  std::vector<std::string> asked;
  std::vector<std::string> shown;
  api::Proving::State proving = api::Proving::State::proved;
  std::vector<Refused> refused;
  std::vector<MintRequest> minted;
  std::uint8_t random = 0;
  OidcPages pages{
      {.issuers = [this] { return issuers; },
       .has_saml = [this] { return has_saml; },
       .provider =
           [this](const config::OidcIssuer&) {
             return OidcWorld{
                 .get = [](const std::string&) -> Result<std::string> { return document; },
                 .post = [this](const std::string&, const std::string& form) -> Result<HttpsReply> {
                   asked.push_back(form);
                   return HttpsReply{200, R"({"id_token":")" + id_token() + R"("})"};
                 },
                 .sleep = [](Duration) {},
                 .now = [] { return WallTime{0}; }};
           },
       .random = [this](std::size_t count) { return std::vector<std::uint8_t>(count, ++random); },
       .identify =
           [this](std::string_view authorization, std::string_view) {
             shown.emplace_back(authorization);
             config::Principal who;
             if (proving == api::Proving::State::proved) who.subject = "ann";
             return api::Proving{.state = proving, .who = who, .fault = "the token has expired"};
           },
       .record = [this](const audit::Record& record) -> Result<void> {
         refused.push_back(
             {std::string(record.issuer), std::string(record.reason), std::string(record.peer)});
         return {};
       },
       .mint = [this](const MintRequest& request) -> Result<MintedToken, MintRefusal> {
         minted.push_back(request);
         return MintedToken{"the.token", "id", request.proved->subject, {}, {}, {}};
       }}};

  [[nodiscard]] std::string id_token() const {
    const std::string claims =
        R"({"iss":"https://id.test","aud":"sluice","nonce":")" + nonce + R"("})";
    return "e30." + to_base64url(as_bytes(claims)) + ".c2ln";
  }

  std::optional<HttpReply> get(const std::string& target, const std::string& cookie = {},
                               const std::string& host = "gw.test:9443") {
    HttpRequest request{.method = "GET", .target = target};
    request.fields = {{"Host", host}, {"Cookie", cookie}};
    request.tcp_peer = TcpPeer{"192.0.2.1:4711", "192.0.2.1"};
    return pages.answer(request);
  }

  struct Begun {
    std::string cookie;  ///< As the browser sends it.
    std::string url;
    std::string state;
  };
  Begun begin(const std::string& name = "corp") {
    const auto reply = get("/login/" + name);
    REQUIRE(reply);
    REQUIRE(reply->status == 302);
    const std::string set(field_value(reply->fields, "set-cookie"));
    CHECK(set.starts_with("__Host-sluice-login="));
    CHECK(set.find("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600") != set.npos);
    Begun out{
        set.substr(0, set.find(';')), std::string(field_value(reply->fields, "location")), {}};
    const auto target = api::parse_target(out.url.substr(std::string("https://id.test").size()));
    REQUIRE(target);
    for (const auto& [name_of, value] : target->query) {
      if (name_of == "state") out.state = value;
      if (name_of == "nonce") nonce = value;
    }
    return out;
  }
  int status(const std::string& target, const std::string& cookie,
             const std::string& host = "gw.test:9443") {
    const auto reply = get(target, cookie, host);
    REQUIRE(reply);
    CHECK(reply->body.find("the.token") == reply->body.npos);
    return reply->status;
  }
};

}  // namespace

TEST_CASE("A browser is told the ways in, and nothing of them is kept or framed") {
  Pages pages;
  const auto page = pages.get("/login");
  REQUIRE(page);
  CHECK(page->status == 200);
  CHECK(page->body.find("<a href=\"/login/corp\">Sign in with corp</a>") != page->body.npos);
  CHECK(page->body.find("/saml/login") == page->body.npos);
  CHECK(field_value(page->fields, "cache-control") == "no-store");
  CHECK(field_value(page->fields, "content-security-policy") ==
        "default-src 'none'; frame-ancestors 'none'");
  pages.has_saml = true;
  CHECK(pages.get("/login")->body.find("/saml/login") != std::string::npos);
  pages.issuers[0].login.reset();
  CHECK_FALSE(pages.get("/login/corp"));
  CHECK_FALSE(pages.get("/login/nowhere"));
  CHECK_FALSE(pages.get("/login/other/else"));
  CHECK_FALSE(pages.get("/v1/status"));
  CHECK(pages.pages.answer({.method = "POST", .target = "/login/other"})->status == 405);
}

TEST_CASE("A person who comes back with a code is shown a token") {
  Pages pages;
  const auto begun = pages.begin();
  CHECK(begun.url.starts_with("https://id.test/auth?response_type=code&client_id=sluice&"));
  CHECK(begun.url.find("redirect_uri=https%3A%2F%2Fgw.test%3A9443%2Flogin%2Fcorp%2Fback&") !=
        std::string::npos);
  CHECK(begun.url.find("scope=openid&") != std::string::npos);
  const auto end =
      pages.get("/login/corp/back?code=c-1&state=" + begun.state, "a=b; " + begun.cookie + "; c=d");
  REQUIRE(end);
  CHECK(end->status == 200);
  CHECK(end->body.find("You are ann") != std::string::npos);
  CHECK(end->body.find("<pre>the.token</pre>") != std::string::npos);
  CHECK(field_value(end->fields, "set-cookie").ends_with("Max-Age=0"));
  REQUIRE(pages.asked.size() == 1);
  CHECK(pages.asked[0].find("code=c-1&") != std::string::npos);
  CHECK(pages.asked[0].find("code_verifier=") != std::string::npos);
  CHECK(pages.shown == std::vector<std::string>{"Bearer " + pages.id_token()});
  REQUIRE(pages.minted.size() == 1);
  CHECK(pages.minted[0].by == "ann");
  CHECK(pages.refused.empty());
}

TEST_CASE("What is not the answer to this browser's question signs nobody in") {
  Pages pages;
  const auto begun = pages.begin();
  const auto another = pages.begin();
  CHECK(another.state != begun.state);
  const std::string back = "/login/corp/back?code=c-1&state=";
  CHECK(pages.status(back + begun.state, "") == 403);
  CHECK(pages.status(back + begun.state, another.cookie) == 403);
  CHECK(pages.status(back + "guessed", begun.cookie) == 403);
  CHECK(pages.status("/login/other/back?code=c-1&state=" + begun.state, begun.cookie) == 403);
  CHECK(pages.status(back + begun.state, begun.cookie, "evil.test") == 403);
  CHECK(pages.status(back + begun.state + "&iss=https%3A%2F%2Fevil.test", begun.cookie) == 403);
  CHECK(pages.status("/login/corp/back?error=access_denied&state=" + begun.state, begun.cookie) ==
        403);
  CHECK(pages.asked.empty());
  CHECK(pages.shown.empty());
  CHECK(pages.refused.size() == 7);
  CHECK(pages.refused[0].issuer == "corp");
  CHECK(pages.refused[0].peer == "192.0.2.1:4711");
  CHECK(pages.refused.back().reason == "access_denied");

  // An ID token of another sign-in: its nonce is that of the second one.
  CHECK(pages.status(back + begun.state, begun.cookie) == 403);
  CHECK(pages.refused.back().reason == "the ID token is of another sign-in");
  CHECK(pages.minted.empty());
}

TEST_CASE("A token that the gateway does not accept signs nobody in, and the log has why") {
  Pages pages;
  pages.proving = api::Proving::State::nobody;
  auto begun = pages.begin();
  CHECK(pages.status("/login/corp/back?code=c-1&state=" + begun.state, begun.cookie) == 403);
  CHECK(pages.refused.back().reason == "the token has expired");
  pages.proving = api::Proving::State::awaits_keys;
  begun = pages.begin();
  CHECK(pages.status("/login/corp/back?code=c-1&state=" + begun.state, begun.cookie) == 503);
  CHECK(pages.minted.empty());
}
