// Keys in a token, with SoftHSM as the token.
#include "audit/token_key.h"

#include <catch2/catch.hpp>

#include "log_fixture.h"
#include "soft_token.h"

namespace sluice::audit {
namespace {

std::string failure(const TokenSettings& settings) {
  const auto signer = open_token_key(settings);
  return signer ? std::string("none") : signer.error().message;
}

bool has(const std::string& text, std::string_view words) {
  INFO(text);
  CHECK(text.find(words) != std::string::npos);
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("A key in a token signs what its public half verifies, and derives the same secrets") {
  const test::TemporaryFolder folder;
  const SoftToken token(folder.path());
  const auto other_key = token.add_key("other", "02");
  DerivedKeys derived;
  std::string line;
  {
    auto signer = open_token_key(token.settings);
    REQUIRE(signer);
    line = signer->verifier().line();
    CHECK(signer->verifier().origin() == "gateway.test/audit");
    for (const std::string& message : {std::string("m"), std::string(3000, 'x')}) {
      const auto signature = signer->sign(as_bytes(message));
      REQUIRE(signature);
      CHECK(Verifier::parse(line)->verify(as_bytes(message), *signature));
    }
    derived = signer->derived_keys();
  }
  {
    const auto again = open_token_key(token.settings);
    REQUIRE(again);
    CHECK(again->verifier().line() == line);
    CHECK(again->derived_keys().operations == derived.operations);
    CHECK(again->derived_keys().mocks == derived.mocks);
  }

  TokenSettings by_id = token.settings;
  by_id.uri = "pkcs11:token=sluice;id=%02";
  const auto other = open_token_key(by_id);
  REQUIRE(other);
  CHECK(std::ranges::equal(other->verifier().public_key(), other_key));
  CHECK(other->derived_keys().operations != derived.operations);
}

TEST_CASE("What keeps a token's key from being used is told with what to do") {
  const test::TemporaryFolder folder;
  const SoftToken token(folder.path());
  const auto with = [&token](auto change) {
    TokenSettings settings = token.settings;
    change(settings);
    return failure(settings);
  };
  const std::string no_module = with([](TokenSettings& it) { it.module = "/nowhere/module.so"; });
  has(no_module, "audit.token.module: cannot load /nowhere/module.so");
  has(no_module, "name the shared library");
  const std::string no_token = with([](TokenSettings& it) { it.uri = "pkcs11:token=x;object=a"; });
  has(no_token, "is described by 'pkcs11:token=x;object=a'; it shows: ");
  has(no_token, "'sluice'");
  has(with([](TokenSettings& it) { it.uri = "pkcs11:token=sluice;object=absent"; }),
      "the token 'sluice' holds no Ed25519 private key that audit.signing_key describes");
  has(with([](TokenSettings& it) { it.pin = "/nowhere/pin"; }),
      "audit.token.pin: the token's PIN /nowhere/pin does not exist; put it there");

  token.write_pin("4321");
  has(failure(token.settings), "audit.token.pin: the token 'sluice' refuses it");
  token.write_pin("1234");
  CHECK(failure(token.settings) == "none");
  token.write_pin("\n");
  has(failure(token.settings), "is empty");
  token.write_pin("1234");
  token.add_key("audit", "02");
  has(failure(token.settings), "holds more than one Ed25519 private key");
  has(with([](TokenSettings& it) { it.uri = "pkcs11:object=audit"; }), "describe");
}

TEST_CASE("A token that goes away while it is used is an error of each signature") {
  const test::TemporaryFolder folder;
  const SoftToken token(folder.path());
  auto signer = open_token_key(token.settings);
  REQUIRE(signer);
  REQUIRE(signer->sign(as_bytes("m")));
  token.remove();
  for (int i = 0; i < 2; ++i) {
    const auto gone = signer->sign(as_bytes("m"));
    REQUIRE_FALSE(gone);
    has(gone.error().message, "the token 'sluice' cannot ");
  }
}

TEST_CASE("Settings that no token could be reached by are refused before it is asked") {
  TokenSettings good;
  good.uri = "pkcs11:token=sluice;object=audit";
  good.origin = "gateway.test/audit";
  good.environment = {"A=b", "C="};
  REQUIRE(check_token_settings(good));
  const auto refusal = [&good](auto change) {
    TokenSettings settings = good;
    change(settings);
    const auto checked = check_token_settings(settings);
    return checked ? std::string() : checked.error().message;
  };
  const auto of_uri = [&refusal](const std::string& uri) {
    return refusal([&uri](TokenSettings& it) { it.uri = uri; });
  };
  CHECK(of_uri("pkcs11:token=sluice;id=%01%02").empty());
  CHECK(of_uri("pkcs11:serial=0123;object=a%2Fb").empty());
  has(of_uri("pkcs11:token=%zz;object=a"), "is not a PKCS#11 URI (RFC 7512)");
  has(of_uri("token=sluice"), "is not a PKCS#11 URI (RFC 7512)");
  has(of_uri("pkcs11:token=sluice"), "names no key; write pkcs11:token=LABEL;object=LABEL");
  has(of_uri("pkcs11:token=sluice;objekt=a"), "has a part that RFC 7512 does not know");
  has(of_uri("pkcs11:token=sluice;object=a?pin-value=1234"), "named in audit.token");
  has(of_uri("pkcs11:token=sluice;object=a?module-path=/m.so"), "named in audit.token");
  has(refusal([](TokenSettings& it) { it.origin = "a b"; }), "audit.token.origin");
  has(refusal([](TokenSettings& it) { it.origin.clear(); }), "audit.token.origin");
  has(refusal([](TokenSettings& it) { it.environment = {"=x"}; }), "is not NAME=VALUE");
}

}  // namespace sluice::audit
