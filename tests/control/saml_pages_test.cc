// The pages of a sign-in by SAML: what a browser is sent, sends, and is shown.
#include "control/saml_pages.h"

#include <catch2/catch.hpp>

#include "saml_bench.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::test;

namespace {

/// What the test remembers of a record, whose views do not live on.
struct Remembered {
  std::string event;
  std::string issuer;
  std::string reason;
  std::string peer;
};

struct Pages {
  Pages() {
    must(saml::prepare_reader());
    pages = must(SamlPages::make(
        {.provider = [this] { return provider; },
         .now = [] { return *parse_timestamp(saml_now_text); },
         .random = [this](std::size_t count) { return std::vector<std::uint8_t>(count, ++random); },
         .ask_reader = saml::answer,
         .record = [this](const audit::Record& record) -> Result<void> {
           records.push_back({std::string(record.event), std::string(record.issuer),
                              std::string(record.reason), std::string(record.peer)});
           return {};
         },
         .mint = [this](const MintRequest& request) -> Result<MintedToken, MintRefusal> {
           asked.push_back(request);
           if (log_is_full)
             return tl::unexpected(MintRefusal{MintRefusal::Kind::unavailable, "full"});
           return MintedToken{"the.token", "id", request.proved->subject, {}, {}, {}};
         }}));
  }

  HttpReply get(const std::string& target) {
    return *pages->answer({.method = "GET", .target = target});
  }
  HttpReply post(const std::string& form, const std::string& cookies,
                 const std::string& type = "application/x-www-form-urlencoded") {
    HttpRequest request{.method = "POST", .target = "/saml/acs"};
    request.fields = {{"Content-Type", type}, {"Cookie", cookies}};
    request.body = form;
    request.tcp_peer = TcpPeer{"192.0.2.1:4711", "192.0.2.1"};
    return *pages->answer(request);
  }

  /// Begins, and has the provider answer. cookie  as the browser sends it.
  std::string form(std::string& cookie, const std::string& subject = "ann") {
    const HttpReply reply = get("/saml/login");
    REQUIRE(reply.status == 302);
    const std::string set(field_value(reply.fields, "set-cookie"));
    cookie = set.substr(0, set.find(';'));
    const std::string url(field_value(reply.fields, "location"));
    const std::string mark = "&RelayState=";
    const std::size_t at = url.find(mark) + mark.size();
    SamlNames names;
    names.request = url.substr(at, url.find('&', at) - at);
    return form_of(signed_xml(response_xml(names, assertion_xml(names, "_a1", subject)), "_a1",
                              saml_keys().rsa.key),
                   names.request);
  }

  std::shared_ptr<const saml::ServiceProvider> provider =
      must(saml::ServiceProvider::make(saml_settings()));
  std::uint8_t random = 0;
  bool log_is_full = false;
  std::vector<Remembered> records;
  std::vector<MintRequest> asked;
  std::unique_ptr<SamlPages> pages;
};

}  // namespace

TEST_CASE("A browser is sent to the provider, comes back, and gets a token") {
  Pages bench;
  std::string cookie;
  const std::string form = bench.form(cookie, "a&amp;n");
  const HttpReply reply = bench.post(form, "other=1; " + cookie + "; more=2");
  CHECK(reply.status == 200);
  CHECK(reply.body.find("<pre>the.token</pre>") != reply.body.npos);
  CHECK(reply.body.find("You are a&amp;n,") != reply.body.npos);
  CHECK(field_value(reply.fields, "cache-control") == "no-store");
  CHECK(field_value(reply.fields, "content-security-policy") ==
        "default-src 'none'; frame-ancestors 'none'");
  REQUIRE(bench.asked.size() == 1);
  CHECK(bench.asked[0].proved->subject == "a&n");
  CHECK(bench.asked[0].by == "a&n");
  CHECK(bench.pages->counts().signed_in == 1);
  CHECK(bench.records.empty());  // the mint has one
}

TEST_CASE("The cookie is for this host, over TLS, and no script's") {
  Pages bench;
  std::string cookie;
  bench.form(cookie);
  const HttpReply reply = bench.get("/saml/login?x");
  const std::string set(field_value(reply.fields, "set-cookie"));
  CHECK(set.starts_with("__Host-sluice-saml="));
  CHECK(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=600"));
}

TEST_CASE("Who is refused learns no reason; the log does") {
  Pages bench;
  std::string cookie;
  const std::string form = bench.form(cookie);
  const HttpReply other = bench.post(form, "");
  const HttpReply forged = bench.post(form + "&SAMLResponse=x", cookie);
  CHECK(other.status == 403);
  CHECK(forged.body == other.body);
  REQUIRE(bench.records.size() == 2);
  CHECK(bench.records[0].event == "sign-in-refused");
  CHECK(bench.records[0].issuer == "corp");
  CHECK(bench.records[0].reason == text(saml::Fault::other_browser));
  CHECK(bench.records[0].peer == "192.0.2.1:4711");
  CHECK(bench.records[1].reason == text(saml::Fault::bad_form));
  CHECK(bench.pages->counts().refused[static_cast<std::size_t>(saml::Fault::bad_form)] == 1);
  CHECK(bench.asked.empty());
  CHECK(bench.post(form, cookie).status == 200);
}

TEST_CASE("Without a log nobody gets a token") {
  Pages bench;
  std::string cookie;
  const std::string form = bench.form(cookie);
  bench.log_is_full = true;
  CHECK(bench.post(form, cookie).status == 503);
}

TEST_CASE("Methods and media types are as they must be, and other paths are not theirs") {
  Pages bench;
  CHECK(bench.post("x", "", "application/json").status == 415);
  CHECK(bench.get("/saml/acs").status == 405);
  CHECK(bench.pages->answer({.method = "POST", .target = "/saml/login"})->status == 405);
  CHECK(bench.get("/saml/metadata").body == bench.provider->metadata());
  CHECK(field_value(bench.get("/saml/metadata").fields, "cache-control") == "no-store");
  CHECK(!bench.pages->answer({.target = "/v1/status"}));
  CHECK(!bench.pages->answer({.target = "/saml/login/"}));
  bench.provider = nullptr;
  CHECK(!bench.pages->answer({.target = "/saml/login"}));
}
