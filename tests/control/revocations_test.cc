#include "control/revocations.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "identity/gateway_tokens.h"
#include "temporary_folder.h"

using namespace sluice;
using control::Revocations;
using control::revoked_keys;
using control::revoked_tokens;

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
  CHECK(Revocations::read(revoked_tokens, path)->ids()->empty());
  auto list = Revocations::read(revoked_tokens, path);
  REQUIRE(list->add(one, now));
  REQUIRE(list->add(one, now));
  CHECK(*list->ids() == identity::RevokedTokens{one});
  CHECK(*Revocations::read(revoked_tokens, path)->ids() == identity::RevokedTokens{one});

  const WallTime last = now + identity::gateway_token_lifetime_max + seconds(1);
  REQUIRE(list->add(other, last));
  CHECK(*Revocations::read(revoked_tokens, path)->ids() == identity::RevokedTokens{one, other});
  REQUIRE(list->add(other, last + seconds(60)));
  CHECK(*Revocations::read(revoked_tokens, path)->ids() == identity::RevokedTokens{other});
}

TEST_CASE("A list that is damaged is no empty list") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "revoked";
  const std::string good = "sluice-revoked-tokens1\n" + one + " 1800000000000000000\n";
  write(path, good);
  REQUIRE(Revocations::read(revoked_tokens, path)->ids()->size() == 1);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write(path, good.substr(0, size));
    INFO(size);
    // Without its only line it is a list that holds none.
    CHECK(Revocations::read(revoked_tokens, path).has_value() == (size == good.find('\n') + 1));
  }
  for (const std::string& bad : std::vector<std::string>{
           good + one, good + "short 1\n", good + one + "  1\n", good + one + " 1x\n",
           good + one + " 99999999999999999999\n", "sluice-revoked-tokens2\n", good + "\n"}) {
    write(path, bad);
    INFO(bad);
    CHECK_FALSE(Revocations::read(revoked_tokens, path));
  }
}

TEST_CASE("A list that cannot be written says so, and stays as it was") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "absent" / "revoked";
  auto list = Revocations::read(revoked_tokens, path);
  REQUIRE(list);
  CHECK_FALSE(list->add(one, now));
  CHECK(list->ids()->empty());
}

TEST_CASE("A long list is read whole") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "revoked";
  std::string text = "sluice-revoked-tokens1\n";
  for (int i = 0; i < 5'000; ++i) {
    text += one.substr(0, one.size() - 4) + std::to_string(1'000 + i) + " 1800000000000000001\n";
  }
  write(path, text);
  auto list = Revocations::read(revoked_tokens, path);
  REQUIRE(list);
  CHECK(list->ids()->size() == 5'000);
  REQUIRE(list->add(other, now));
  CHECK(Revocations::read(revoked_tokens, path)->ids()->size() == 5'001);
}

TEST_CASE("A revoked API key is never forgotten") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "revoked";
  auto list = Revocations::read(revoked_keys, path);
  REQUIRE(list->add("9f3c5e1d7a2b", now));
  REQUIRE(list->add("batch.1", now + seconds(100 * 365 * 86'400LL)));
  REQUIRE(list->add("batch.1", now));
  CHECK(*Revocations::read(revoked_keys, path)->ids() ==
        Revocations::Ids{"9f3c5e1d7a2b", "batch.1"});
  std::string text;
  std::getline(std::ifstream(path), text, '\0');
  CHECK(text == "sluice-revoked-keys1\n9f3c5e1d7a2b never\nbatch.1 never\n");
  // A list of the one is none of the other.
  CHECK_FALSE(Revocations::read(revoked_tokens, path));
  const std::string magic = "sluice-revoked-keys1\n";
  for (const std::string& bad : std::vector<std::string>{
           "batch never\n", magic + "batch\n", magic + "batch never", magic + "batch 1\n",
           magic + "a b never\n", magic + " never\n", magic + "../a never\n",
           magic + std::string(65, 'a') + " never\n", magic + "batch never\n\n"}) {
    write(path, bad);
    INFO(bad);
    CHECK_FALSE(Revocations::read(revoked_keys, path));
  }
}

TEST_CASE("A folder in a list's place, or one that may not be looked into, is no empty list") {
  const test::TemporaryFolder folder;
  CHECK_FALSE(Revocations::read(revoked_keys, folder.path()));
  CHECK_FALSE(Revocations::read(revoked_keys, folder.path() / std::string(300, 'a')));
}

TEST_CASE("Only what can be a token's id is one") {
  CHECK(control::is_token_id(one));
  for (const std::string& bad : {std::string(), one + "A", one.substr(1), one.substr(1) + " ",
                                 one.substr(1) + "\n", one.substr(1) + "="}) {
    INFO(bad);
    CHECK_FALSE(control::is_token_id(bad));
  }
}
