#include "identity/proven_credential.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::identity;

TEST_CASE("A proven credential is believed for its text, its keys and its time only") {
  const FingerprintKey key(1, 2);
  config::Principal ann;
  ann.expires = WallTime{1000};
  const KeyVerdict verdict{KeyFault::none, &ann, 7};

  ProvenCredential proven;
  CHECK_FALSE(proven.find({}, 1, WallTime{0}));
  proven.remember(key.of("secret"), 3, verdict);
  REQUIRE(proven.find(key.of("secret"), 3, WallTime{999}));
  CHECK(proven.find(key.of("secret"), 3, WallTime{999})->index == 7);
  CHECK_FALSE(proven.find(key.of("secreT"), 3, WallTime{999}));
  CHECK_FALSE(proven.find(key.of("secret"), 4, WallTime{999}));
  CHECK_FALSE(proven.find(key.of("secret"), 3, WallTime{1000}));
}
