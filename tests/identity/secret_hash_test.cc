#include "identity/secret_hash.h"

#include <catch2/catch.hpp>

#include "base/text_codec.h"

using namespace sluice;
using namespace sluice::identity;

TEST_CASE("SHA-256 answers the vectors of FIPS 180-4") {
  CHECK(to_hex(*sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(*sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("scrypt answers the third vector of RFC 7914 section 12") {
  ScryptHash like{.cost = 16384, .block = 8, .lanes = 1, .salt = {}, .hash = {}};
  const auto salt = as_bytes("SodiumChloride");
  like.salt.assign(salt.begin(), salt.end());
  const auto digest = scrypt("pleaseletmein", like);
  REQUIRE(digest);
  CHECK(to_hex(*digest) == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST_CASE("a stored scrypt hash is read back as it was written") {
  ScryptHash hash;
  hash.salt.assign(16, 0xFE);
  hash.hash.fill(0x5A);
  const auto again = ScryptHash::parse(hash.text());
  REQUIRE(again);
  CHECK(again->cost == hash.cost);
  CHECK(again->block == hash.block);
  CHECK(again->lanes == hash.lanes);
  CHECK(again->salt == hash.salt);
  CHECK(again->hash == hash.hash);
}

TEST_CASE("a weak, hungry or broken scrypt hash is refused") {
  const std::string salt = to_base64(std::vector<std::uint8_t>(16, 1));
  const std::string hash = to_base64(std::vector<std::uint8_t>(32, 2));
  const std::string end = salt + "$" + hash;
  REQUIRE(ScryptHash::parse("16384$8$1$" + end).has_value());
  for (const std::string& text : std::vector<std::string>{
           "", "$", "$$$$", "16384$8$1$" + salt, "16384$8$1$" + end + "$", "8192$8$1$" + end,
           "16385$8$1$" + end, "0$8$1$" + end, "4294967296$8$1$" + end, "16384$1$1$" + end,
           "16384$65$1$" + end, "16384$8$0$" + end, "16384$8$17$" + end, "1048576$8$1$" + end,
           "16384$8$1$AAAA$" + hash, "16384$8$1$" + salt + "$AAAA", "16384$8$1$" + salt + "$!",
           "-16384$8$1$" + end, "16384 $8$1$" + end}) {
    INFO(text);
    CHECK_FALSE(ScryptHash::parse(text).has_value());
  }
}
