#include "identity/credential.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/text_codec.h"

using namespace sluice;
using namespace sluice::identity;
using Form = Credential::Form;

TEST_CASE("Bearer and Basic credentials are cut from the header") {
  struct Case {
    std::string header;
    Form form;
    std::string presented;
  };
  const Case cases[] = {
      {"Bearer sk_a_b", Form::key, "sk_a_b"},
      {"bearer sk_a_b", Form::key, "sk_a_b"},
      {"BEARER   sk_a_b", Form::key, "sk_a_b"},
      {"Basic YW5uOnNlY3JldA==", Form::login, "ann:secret"},
      {"basic YW5uOmE6Yg==", Form::login, "ann:a:b"},
      {"Basic Og==", Form::login, ":"},
      {"Basic w6k6w6k=", Form::login, "\xC3\xA9:\xC3\xA9"},
      {"", Form::malformed, ""},
      {"Bearer", Form::malformed, ""},
      {"Bearer ", Form::malformed, ""},
      {"Bearersk_a_b", Form::malformed, ""},
      {"Bearer\tsk_a_b", Form::malformed, ""},
      {"Bearer a b", Form::malformed, ""},
      {"Bearer a\x7F", Form::malformed, ""},
      {"Bearer \xC3\xA9", Form::malformed, ""},
      {"Digest username=ann", Form::malformed, ""},
      {"sk_a_b", Form::malformed, ""},
      {" Bearer sk_a_b", Form::malformed, ""},
      {"Basic", Form::malformed, ""},
      {"Basic YW5u", Form::malformed, ""},             // no colon
      {"Basic YW5uOnNlY3JldA=", Form::malformed, ""},  // padding
      {"Basic YW5uOnNlY3JldA", Form::malformed, ""},
      {"Basic YW5uOnNlY3JldB==", Form::malformed, ""},  // stray bits
      {"Basic YW5uOnNlY3Jld-==", Form::malformed, ""},
      {"Basic YW5uOnNl Y3JldA==", Form::malformed, ""},
      {"Basic ====", Form::malformed, ""},
      {"Basic YW5uOgA=", Form::malformed, ""},  // NUL
      {"Basic YW5uOgo=", Form::malformed, ""},  // line end
  };
  for (const Case& example : cases) {
    INFO(example.header);
    const Credential credential = parse_authorization(example.header);
    CHECK(credential.form() == example.form);
    CHECK(credential.presented() == example.presented);
  }
}

TEST_CASE("a bearer that is no key is a token, of any length, and stays where it is") {
  const std::string field = "Bearer eyJh." + std::string(9000, 'A') + ".c2ln";
  const Credential credential = parse_authorization(field);
  CHECK(credential.form() == Form::token);
  CHECK(credential.presented().data() == field.data() + 7);
  CHECK(credential.presented().size() == field.size() - 7);
  CHECK(parse_authorization("bearer a.b.c").form() == Form::token);
  CHECK(parse_authorization("Bearer .").form() == Form::token);
  CHECK(parse_authorization("Bearer " + std::string(9000, 'A')).presented().size() == 9000);
  CHECK(parse_authorization("DPoP Zm9v").form() == Form::bound_token);
  CHECK(parse_authorization("DPoP sk_a_b").form() == Form::malformed);
  // Keys may have dots in their ids, logins anywhere.
  CHECK(parse_authorization("Bearer sk_a.b.c_d").form() == Form::key);
  CHECK(parse_authorization("Bearer ann.b.c:secret").form() == Form::key);
  CHECK(parse_api_key_field("a.b.c").form() == Form::key);
  for (const char* bad :
       {"Bearer a.b. c", "Bearer a.b.\x7F", "Bearer a.b.\xC3\xA9", "Basic a.b.c"}) {
    CHECK(parse_authorization(bad).form() == Form::malformed);
  }
}

TEST_CASE("an X-Api-Key field is the key itself") {
  CHECK(parse_api_key_field("sk_a_b").presented() == "sk_a_b");
  CHECK(parse_api_key_field("sk_a_b").form() == Form::key);
  for (const char* bad : {"", " ", "a b", "a\x01"}) {
    CHECK(parse_api_key_field(bad).form() == Form::malformed);
  }
}

TEST_CASE("a credential has a greatest size") {
  const std::string longest = "sk_" + std::string(Credential::bytes_max - 3, 'k');
  CHECK(parse_authorization("Bearer " + longest).presented() == longest);
  CHECK(parse_api_key_field(longest).presented() == longest);
  CHECK(parse_authorization("Bearer " + longest + "k").form() == Form::malformed);
  CHECK(parse_api_key_field(longest + "k").form() == Form::malformed);

  const std::string login = "ann:" + std::string(Credential::bytes_max - 4, 's');
  CHECK(parse_authorization("Basic " + to_base64(as_bytes(login))).presented() == login);
  CHECK(parse_authorization("Basic " + to_base64(as_bytes(login + "s"))).form() == Form::malformed);
}

TEST_CASE("a copy of a credential has bytes of its own") {
  Credential copy = parse_api_key_field("other");
  {
    const Credential credential = parse_authorization("Bearer sk_a_b");
    copy = credential;
    CHECK(copy.presented().data() != credential.presented().data());
  }
  CHECK(copy.presented() == "sk_a_b");
  CHECK(copy.form() == Form::key);
}

TEST_CASE("a token that is neither a JWS nor a JWE is its issuer's to read") {
  const std::string header = to_base64url(as_bytes(R"({"alg":"ES256"})"));
  for (const std::string& opaque :
       {std::string("G3mQmWm3p2ZJ-0pVq8uRtA"), std::string("ya29.a0AfH6SMB"), header,
        header + ".e30", std::string("00D!AQ~x/+="), std::string("e"),
        std::string(opaque_token_bytes_max, 'a')}) {
    INFO(opaque);
    CHECK(is_opaque_token(opaque));
  }
  for (const std::string& other :
       {std::string(), header + ".e30.c2ln", header + ".e30.", header + ".e30.!",
        header + ".a.b.c.d", to_base64url(as_bytes("\n{}")) + ".e30.c2ln",
        std::string("v4.public.eyJzdWIiOiJhIn0"), std::string(opaque_token_bytes_max + 1, 'a')}) {
    INFO(other);
    CHECK_FALSE(is_opaque_token(other));
  }
}

TEST_CASE("a password that begins as a token's header does is a token") {
  const std::string header = to_base64url(as_bytes(R"({"alg":"ES256"})"));
  CHECK(is_compact_jws(header + ".e30.c2ln"));
  CHECK(is_compact_jws(header + ".e30."));
  CHECK(is_compact_jws(to_base64url(as_bytes("{ \n}")) + "..x"));
  for (const std::string& other :
       {std::string(), std::string("e"), std::string("eyJ"), header, header + ".e30",
        header + ".e30.c2ln.x", header + ".e30.c2l+", header + ".e30.c 2ln",
        "sk_" + header + ".e30.x", std::string("correct.horse.battery"),
        std::string("east.west.north"), to_base64url(as_bytes("[]")) + ".e30.c2ln"}) {
    INFO(other);
    CHECK_FALSE(is_compact_jws(other));
  }
}
