#include "control/revocations.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "identity/gateway_tokens.h"
#include "temporary_folder.h"

using namespace sluice;
using control::Revocations;

namespace {

constexpr WallTime now{1'800'000'000'000'000'000};
const std::string one = "AAECAwQFBgcICQoLDA0ODw";
const std::string other = "AAECAwQFBgcICQoLDA0ODx";

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("What is revoked is so for whoever reads the list next, until it would have expired") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "revoked";
  CHECK(Revocations::read(path)->ids()->empty());
  auto list = Revocations::read(path);
  REQUIRE(list->add(one, now));
  REQUIRE(list->add(one, now));
  CHECK(*list->ids() == identity::RevokedTokens{one});
  CHECK(*Revocations::read(path)->ids() == identity::RevokedTokens{one});

  const WallTime last = now + identity::gateway_token_lifetime_max + seconds(1);
  REQUIRE(list->add(other, last));
  CHECK(*Revocations::read(path)->ids() == identity::RevokedTokens{one, other});
  REQUIRE(list->add(other, last + seconds(60)));
  CHECK(*Revocations::read(path)->ids() == identity::RevokedTokens{other});
}

TEST_CASE("A list that is damaged is no empty list") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "revoked";
  const std::string good = "sluice-revoked-tokens1\n" + one + " 1800000000000000000\n";
  write(path, good);
  REQUIRE(Revocations::read(path)->ids()->size() == 1);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write(path, good.substr(0, size));
    INFO(size);
    // Without its only line it is a list that holds none.
    CHECK(Revocations::read(path).has_value() == (size == good.find('\n') + 1));
  }
  for (const std::string& bad : std::vector<std::string>{
           good + one, good + "short 1\n", good + one + "  1\n", good + one + " 1x\n",
           good + one + " 99999999999999999999\n", "sluice-revoked-tokens2\n", good + "\n"}) {
    write(path, bad);
    INFO(bad);
    CHECK_FALSE(Revocations::read(path));
  }
}

TEST_CASE("A list that cannot be written says so, and stays as it was") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "absent" / "revoked";
  auto list = Revocations::read(path);
  REQUIRE(list);
  CHECK_FALSE(list->add(one, now));
  CHECK(list->ids()->empty());
}

TEST_CASE("Only what can be a token's id is one") {
  CHECK(control::is_token_id(one));
  for (const std::string& bad : {std::string(), one + "A", one.substr(1), one.substr(1) + " ",
                                 one.substr(1) + "\n", one.substr(1) + "="}) {
    INFO(bad);
    CHECK_FALSE(control::is_token_id(bad));
  }
}
