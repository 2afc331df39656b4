// What an issuer says of a token that only it can read: whom it proves, and every way in which it
// proves nobody.
#include "identity/introspection.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "base/text_codec.h"
#include "identity/oidc.h"

using namespace sluice;
using namespace sluice::identity;

namespace {

constexpr WallTime now{1'800'000'000'000'000'000};
constexpr std::string_view token = "G3mQmWm3p2ZJ-0pVq8uRtA";
constexpr std::string_view good =
    R"({"active":true,"iss":"https://id.example.com","aud":"sluice","sub":"ann","exp":1800000600,)"
    R"("iat":1799999990,"nbf":1799999990,"groups":["staff","payments"],"jti":"t-1",)"
    R"("token_type":"Bearer","client_id":"console"})";

config::OidcIssuer issuer() {
  config::OidcIssuer one;
  one.name = "corp";
  one.issuer = "https://id.example.com";
  one.audience = "sluice";
  one.groups_claim = "groups";
  one.introspection.emplace();
  return one;
}
IntrospectionVerdict judge(std::string_view said) {
  return judge_introspection(said, issuer(), token, now);
}
/// The good answer with its first `from` replaced.
std::string with(std::string_view from, std::string_view to) {
  std::string out(good);
  return out.replace(out.find(from), from.size(), to);
}
/// A member more.
std::string with_more(std::string_view member) {
  return fmt::format("{},{}}}", good.substr(0, good.size() - 1), member);
}
/// Without one of its members, which is not the last.
std::string without(std::string_view member) {
  return with(fmt::format("{},", member), "");
}
std::string actors(std::size_t count) {
  std::string text = R"({"sub":"a"})";
  for (std::size_t i = 1; i < count; ++i) text = fmt::format(R"({{"sub":"a","act":{}}})", text);
  return R"("act":)" + text;
}
std::string digest_text() {
  return to_base64url(std::vector<std::uint8_t>(32, 0x5A));
}

}  // namespace

TEST_CASE("an active token proves whom its issuer says, for as long as the answer is believed") {
  const auto who = judge(good);
  REQUIRE(who);
  CHECK(who->subject == "ann");
  CHECK(who->issuer == "corp");
  CHECK(who->groups == std::vector<std::string>{"staff", "payments"});
  CHECK(who->proof == config::Proof::introspection);
  CHECK(who->credential_id == "t-1");
  CHECK(who->expires == now + seconds(60));
  CHECK(who->bound_certificate.empty());
  CHECK(who->bound_key.empty());
}

TEST_CASE("an answer is believed no longer than the token lasts, and than is configured") {
  CHECK(judge(with("1800000600", "1800000000"))->expires == now + seconds(60));  // by clock_skew
  CHECK(judge(with("1800000600", "1799999970"))->expires == now + seconds(30));
  CHECK(judge(without(R"("exp":1800000600)"))->expires == now + seconds(60));
  auto patient = issuer();
  patient.introspection->cache = seconds(3600);
  CHECK(judge_introspection(good, patient, token, now)->expires == now + seconds(660));
  CHECK(judge_introspection(without(R"("exp":1800000600)"), patient, token, now)->expires ==
        now + seconds(3600));
}

TEST_CASE("what need not be said may be left out") {
  for (const char* member : {R"("iss":"https://id.example.com")", R"("iat":1799999990)",
                             R"("nbf":1799999990)", R"("jti":"t-1")", R"("token_type":"Bearer")"}) {
    INFO(member);
    CHECK(judge(without(member)));
  }
  CHECK(judge(with(R"("sluice")", R"(["other","sluice"])")));
  CHECK(judge(with("Bearer", "bearer")));
  CHECK(judge(with_more(R"("scope":"a b","username":"Ann","x":{"y":[1,null,true]})")));
}

TEST_CASE("a token is named by nothing that is secret of it") {
  CHECK(judge(without(R"("jti":"t-1")"))->credential_id.starts_with("sha256:"));
  CHECK(judge(with("t-1", token))->credential_id.starts_with("sha256:"));
  CHECK(judge(with("t-1", token.substr(0, 12)))->credential_id.starts_with("sha256:"));
  CHECK(judge(with("t-1", fmt::format("at:{}", token)))->credential_id.starts_with("sha256:"));
}

TEST_CASE("what the issuer says that a token is bound to is kept with its principal") {
  const std::string digest(32, 0x5A);
  const auto certificate =
      judge(with_more(fmt::format(R"("cnf":{{"x5t#S256":"{}"}})", digest_text())));
  REQUIRE(certificate);
  CHECK(certificate->bound_certificate == digest);
  const std::string by_key = with_more(fmt::format(R"("cnf":{{"jkt":"{}"}})", digest_text()));
  CHECK(judge(by_key)->bound_key == digest);
  std::string named = by_key;
  named.replace(named.find("Bearer"), 6, "DPoP");
  const auto key = judge(named);
  REQUIRE(key);
  CHECK(key->bound_key == digest);
  CHECK(check_possession(*key, {}) == TokenFault::wrong_key);
  CHECK(check_possession(*key, {.key = as_bytes(digest)}) == TokenFault::none);
}

TEST_CASE("who acts for the subject is kept, and names have their prefix") {
  auto prefixed = issuer();
  prefixed.prefix = "corp:";
  const auto who = judge_introspection(
      with_more(R"("act":{"sub":"tool","act":{"sub":"agent","iss":"https://a.example"}})"),
      prefixed, token, now);
  REQUIRE(who);
  CHECK(who->subject == "corp:ann");
  CHECK(who->groups.front() == "corp:staff");
  REQUIRE(who->actors.size() == 2);
  CHECK(who->actors[0].subject == "corp:tool");
  CHECK(who->actors[0].issuer == "corp");
  CHECK(who->actors[1].issuer == "https://a.example");
}

TEST_CASE("what proves nobody says why") {
  std::string many_groups = R"("g0")";
  for (std::size_t i = 1; i <= token_groups_max; ++i) many_groups += fmt::format(R"(,"g{}")", i);
  const std::string deep = std::string(R"("x":)") + std::string(9, '[') + std::string(9, ']');
  const std::string groups = R"(["staff","payments"])";
  struct Case {
    const char* what;
    std::string said;
    TokenFault fault;
  };
  const Case cases[] = {
      {"nothing", "", TokenFault::introspection_malformed},
      {"no object", "[true]", TokenFault::introspection_malformed},
      {"no JSON", "active=true", TokenFault::introspection_malformed},
      {"cut short", std::string(good.substr(0, good.size() - 1)),
       TokenFault::introspection_malformed},
      {"something behind it", std::string(good) + "{}", TokenFault::introspection_malformed},
      {"a JWT, for which nobody asked", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
       TokenFault::introspection_malformed},
      {"no UTF-8", with("ann", "\xC3\x28"), TokenFault::introspection_malformed},
      {"active twice", with_more(R"("active":true)"), TokenFault::introspection_repeated_member},
      {"a claim twice, further in", with_more(R"("act":{"sub":"a","sub":"b"})"),
       TokenFault::introspection_repeated_member},
      {"too many levels", with_more(deep), TokenFault::introspection_too_complex},
      {"too long", with_more(fmt::format(R"("x":"{}")", std::string(introspection_bytes_max, 'x'))),
       TokenFault::introspection_too_complex},
      {"no active", without(R"("active":true)"), TokenFault::introspection_undecided},
      {"active as text", with("true", R"("true")"), TokenFault::introspection_undecided},
      {"active as number", with("true", "1"), TokenFault::introspection_undecided},
      {"active as null", with("true", "null"), TokenFault::introspection_undecided},
      {"inactive", R"({"active":false})", TokenFault::inactive},
      {"inactive, with all that is good", with("true", "false"), TokenFault::inactive},
      {"another's", with("id.example.com", "id.example.com/"), TokenFault::wrong_issuer},
      {"of an issuer that is no text", with(R"("https://id.example.com")", "7"),
       TokenFault::wrong_issuer},
      {"of several issuers", with(R"("https://id.example.com")", R"(["https://id.example.com"])"),
       TokenFault::wrong_issuer},
      {"a refresh token", with("Bearer", "refresh_token"), TokenFault::wrong_token_type},
      {"a MAC token", with("Bearer", "mac"), TokenFault::wrong_token_type},
      {"a type that is no text", with(R"("Bearer")", "null"), TokenFault::wrong_token_type},
      {"DPoP that is bound to nothing", with("Bearer", "DPoP"), TokenFault::wrong_token_type},
      {"no time of its end", with("1800000600", R"("1800000600")"), TokenFault::bad_time},
      {"an end before time", with("1800000600", "-1"), TokenFault::bad_time},
      {"expired", with("1800000600", "1799999940"), TokenFault::expired},
      {"not valid yet", with(R"("nbf":1799999990)", R"("nbf":1800000061)"),
       TokenFault::not_yet_valid},
      {"issued in the future", with(R"("iat":1799999990)", R"("iat":1800000061)"),
       TokenFault::issued_in_future},
      {"for another audience", with(R"("sluice")", R"("other")"), TokenFault::wrong_audience},
      {"for no audience", without(R"("aud":"sluice")"), TokenFault::wrong_audience},
      {"for none of several", with(R"("sluice")", R"(["a",["sluice"]])"),
       TokenFault::wrong_audience},
      {"bound to a key that is there", with_more(R"("cnf":{"jwk":{"kty":"EC"}})"),
       TokenFault::bound_to_something},
      {"bound to two things",
       with_more(fmt::format(R"("cnf":{{"jkt":"{0}","x5t#S256":"{0}"}})", digest_text())),
       TokenFault::bound_to_something},
      {"bound to a short digest", with_more(R"("cnf":{"jkt":"AAAA"})"),
       TokenFault::bound_to_something},
      {"bound to nothing that is said", with_more(R"("cnf":{})"), TokenFault::bound_to_something},
      {"a notice", with_more(R"("events":{})"), TokenFault::security_event},
      {"nobody's", without(R"("sub":"ann")"), TokenFault::no_subject},
      {"an empty subject", with(R"("ann")", R"("")"), TokenFault::bad_subject},
      {"a subject that is no text", with(R"("ann")", "7"), TokenFault::bad_subject},
      {"no groups", with(R"("groups":["staff","payments"],)", ""), TokenFault::no_groups},
      {"groups that are no texts", with(groups, "[1]"), TokenFault::bad_groups},
      {"too many groups", with(groups, fmt::format("[{}]", many_groups)),
       TokenFault::too_many_groups},
      {"groups elsewhere", with_more(R"("_claim_names":{"groups":"s"})"),
       TokenFault::groups_overage},
      {"an actor without a name", with_more(R"("act":{"client_id":"a"})"), TokenFault::bad_actor},
      {"too many actors", with_more(actors(token_actors_max + 1)), TokenFault::delegation_too_deep},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    const auto verdict = judge(one.said);
    REQUIRE_FALSE(verdict);
    CHECK(name(verdict.error()) == name(one.fault));
    CHECK_FALSE(text(verdict.error()).empty());
  }

  auto strict = issuer();
  strict.authorized_parties = {"batch"};
  CHECK(judge_introspection(good, strict, token, now).error() == TokenFault::wrong_party);
}
