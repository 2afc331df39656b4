// Signing in, against a provider that is played.
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/text_codec.h"
#include "cli/oidc_device.h"
#include "cli/stored_login.h"
#include "control/oidc_code.h"
#include "temporary_folder.h"

using namespace sluice;
using namespace sluice::cli;
using namespace sluice::control;

namespace {

const SignInProvider provider{.name = "corp",
                              .issuer = "https://id.test/staff",
                              .client_id = "sluice",
                              .scopes = {"openid", "offline_access"},
                              .uses_id_token = true};
const OidcEndpoints endpoints{.token = "https://id.test/token",
                              .authorization = "https://id.test/auth",
                              .device = "https://id.test/device",
                              .names_issuer = true};

/// Answers in the order that they stand in, and a clock that only sleeping moves.
struct Played {
  std::vector<control::HttpsReply> answers;
  std::vector<std::string> asked;
  std::string document;
  WallTime now{0};
  std::size_t next = 0;

  OidcWorld world() {
    return {.get = [this](const std::string&) -> Result<std::string> { return document; },
            .post = [this](const std::string& url,
                           const std::string& form) -> Result<control::HttpsReply> {
              asked.push_back(url + " " + form);
              if (next == answers.size()) return fail("the provider is gone");
              return answers[next++];
            },
            .sleep = [this](Duration time) { now = now + time; },
            .now = [this] { return now; }};
  }
};

constexpr const char* granted =
    R"({"device_code":"d-1","user_code":"WDJB-MJHT","verification_uri":"https://id.test/d",)"
    R"("expires_in":60,"interval":2})";

std::string jwt(const std::string& claims) {
  return "e30." + to_base64url(as_bytes(claims)) + ".c2ln";
}

}  // namespace

TEST_CASE("A device's code is polled for, slower when told to, until somebody agreed") {
  Played played;
  played.answers = {{200, granted},
                    {400, R"({"error":"authorization_pending"})"},
                    {400, R"({"error":"slow_down"})"},
                    {200, R"({"id_token":"i","access_token":"a","refresh_token":"r"})"}};
  std::string shown;
  const auto tokens = sign_in_by_device(
      provider, endpoints, [&](const DevicePrompt& prompt) { shown = prompt.code; },
      played.world());
  REQUIRE(tokens);
  CHECK(tokens->id == "i");
  CHECK(tokens->refresh == "r");
  CHECK(shown == "WDJB-MJHT");
  CHECK(played.now.ns == seconds(2 + 2 + 7).ns);
  REQUIRE(played.asked.size() == 4);
  CHECK(played.asked[0] == "https://id.test/device client_id=sluice&scope=openid%20offline_access");
  CHECK(played.asked[3].find("device_code=d-1") != std::string::npos);
}

TEST_CASE("A device's code that was refused, or that nobody entered, ends the sign-in") {
  Played played;
  const auto sign_in = [&played] {
    return sign_in_by_device(
        provider, endpoints, [](const DevicePrompt&) {}, played.world());
  };
  SECTION("refused") {
    played.answers = {{200, granted}, {400, R"({"error":"access_denied"})"}};
    const auto tokens = sign_in();
    REQUIRE_FALSE(tokens);
    CHECK(tokens.error().message == "access_denied");
  }
  SECTION("expired") {
    played.answers.assign(100, {400, R"({"error":"authorization_pending"})"});
    played.answers.front() = {200, granted};
    CHECK_FALSE(sign_in());
    CHECK(played.asked.size() == 31);
  }
  SECTION("not understood") {
    played.answers = {{200, "<html>"}};
    CHECK_FALSE(sign_in());
  }
}

TEST_CASE("A browser is sent with a challenge, and only its own redirection is believed") {
  const CodeSecrets secrets{
      .verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", .state = "s-1", .nonce = "n-1"};
  const std::string url =
      authorization_url(provider, endpoints, "http://127.0.0.1:4711/signed-in", secrets);
  // RFC 7636 appendix B
  CHECK(url.find("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") !=
        std::string::npos);
  CHECK(url.find("redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fsigned-in") != std::string::npos);
  CHECK(url.find("state=s-1&nonce=n-1") != std::string::npos);
  CHECK(url.find("prompt=consent") != std::string::npos);

  const auto read = [&](std::string_view target) {
    return read_redirection(target, "/signed-in", provider, endpoints, secrets);
  };
  const std::string issuer = "&iss=https%3A%2F%2Fid.test%2Fstaff";
  CHECK(read("/signed-in?code=c-1&state=s-1" + issuer).code == "c-1");
  CHECK_FALSE(read("/signed-in?code=c-1&state=other" + issuer).is_ours);
  CHECK_FALSE(read("/signed-in?code=c-1" + issuer).is_ours);
  CHECK_FALSE(read("/favicon.ico").is_ours);
  CHECK(read("/signed-in?code=c-1&state=s-1").refusal == "the answer is another issuer's");
  CHECK(read("/signed-in?code=c-1&state=s-1&iss=https%3A%2F%2Fevil.test").code.empty());
  CHECK(read("/signed-in?error=access_denied&code=c-1&state=s-1" + issuer).code.empty());
  CHECK(read("/signed-in?state=s-1" + issuer).refusal == "the answer has no code");
}

TEST_CASE("An ID token is this sign-in's, or none") {
  const std::string good =
      R"({"iss":"https://id.test/staff","aud":["api","sluice"],"nonce":"n-1"})";
  CHECK(check_id_token(jwt(good), provider, "n-1"));
  CHECK_FALSE(check_id_token(jwt(good), provider, "n-2"));
  CHECK(check_id_token(jwt(R"({"iss":"https://id.test/staff","aud":"sluice"})"), provider, ""));
  CHECK_FALSE(check_id_token(jwt(R"({"iss":"https://id.test/staff","aud":"api"})"), provider, ""));
  CHECK_FALSE(check_id_token(jwt(R"({"iss":"https://id.test","aud":"sluice"})"), provider, ""));
  for (const char* const bad : {"", "a.b", "a.!.c", "e30.W10.c"}) {
    CHECK_FALSE(check_id_token(bad, provider, ""));
  }
}

TEST_CASE("A provider's document is its own, and leads nowhere that is not secure") {
  Played played;
  const auto discover = [&](const std::string& document) {
    played.document = document;
    return discover_endpoints(provider, played.world());
  };
  const auto found =
      discover(R"({"issuer":"https://id.test/staff","token_endpoint":"https://id.test/t",)"
               R"("authorization_endpoint":"https://id.test/a",)"
               R"("authorization_response_iss_parameter_supported":true})");
  REQUIRE(found);
  CHECK(found->token == "https://id.test/t");
  CHECK(found->device.empty());
  CHECK(found->names_issuer);
  CHECK_FALSE(discover(R"({"issuer":"https://evil.test","token_endpoint":"https://id.test/t"})"));
  CHECK_FALSE(discover(R"({"issuer":"https://id.test/staff"})"));
  CHECK_FALSE(
      discover(R"({"issuer":"https://id.test/staff","token_endpoint":"http://id.test/t"})"));
}

TEST_CASE("A login is kept for its owner alone") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "a/logins/gw_9443.json";
  std::filesystem::create_directories(folder.path() / "a");
  CHECK_FALSE(cli::read_login(path).value());
  StoredLogin login;
  login.token.token = "t.o.k";
  login.token.expires = WallTime{1'800'000'000'000'000'000};
  login.provider = provider;
  login.refresh = "r-1";
  REQUIRE(write_login(path, login));
  REQUIRE(write_login(path, login));
  const auto perms = std::filesystem::status(path).permissions();
  CHECK(perms == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto back = read_login(path);
  REQUIRE(back);
  REQUIRE(*back);
  CHECK((*back)->token.token == "t.o.k");
  CHECK((*back)->token.expires == login.token.expires);
  CHECK((*back)->provider.scopes == provider.scopes);
  CHECK((*back)->refresh == "r-1");
  std::filesystem::permissions(path, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  CHECK_FALSE(read_login(path));
}
