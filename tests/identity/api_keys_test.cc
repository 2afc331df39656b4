#include "identity/api_keys.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <set>

#include "must.h"

using namespace sluice;
using namespace sluice::identity;
using sluice::test::must;

namespace {

constexpr WallTime now{1'795'219'200'000'000'000};  // 2026-11-21
constexpr Duration day = seconds(86'400);

std::vector<std::uint8_t> random_bytes(std::uint8_t seed) {
  std::vector<std::uint8_t> bytes(32);
  for (auto& byte : bytes) byte = seed = static_cast<std::uint8_t>(seed * 5 + 17);
  return bytes;
}

std::shared_ptr<const ApiKeys> keys_of(const std::string& yaml) {
  auto keys = ApiKeys::parse(yaml, "keys.yaml", {1});
  if (!keys) FAIL(keys.error().message);
  return *keys;
}

std::shared_ptr<const ApiKeys> keys_without(const std::string& yaml, const RevokedKeys& revoked) {
  return must(ApiKeys::parse(yaml, "keys.yaml", {1}, revoked));
}

std::string id_of(const NewKey& key) {
  return keys_of(key.yaml_entry)->principal(0).credential_id;
}

std::string error_of(const std::string& yaml) {
  const auto keys = ApiKeys::parse(yaml, "keys.yaml", {1});
  return keys ? "(none)" : keys.error().message;
}

/// The cheapest scrypt that is allowed, of "open sesame".
std::string login_entry(const std::string& id, const std::string& subject) {
  const auto entry =
      make_login_entry(id, subject, {"people"}, now + day, "open sesame", random_bytes(9));
  if (!entry) FAIL(entry.error().message);
  return *entry;
}

const std::string digest(64, 'a');

}  // namespace

TEST_CASE("a made key is accepted under its file entry until it expires") {
  const NewKey key = make_key("settlement", {"payments", "batch"}, now + day, random_bytes(1));
  CHECK(key.secret.starts_with("sk_"));
  CHECK(key.yaml_entry.find(key.secret.substr(key.secret.size() - 43)) == std::string::npos);

  const auto keys = keys_of(key.yaml_entry);
  REQUIRE(keys->size() == 1);
  const KeyVerdict verdict = keys->verify(key.secret, now);
  REQUIRE(verdict.fault == KeyFault::none);
  REQUIRE(verdict.principal != nullptr);
  CHECK(verdict.index == 0);
  CHECK(verdict.principal == &keys->principal(0));
  CHECK(verdict.principal->subject == "settlement");
  CHECK(verdict.principal->issuer == "api_keys");
  CHECK(verdict.principal->groups == std::vector<std::string>{"payments", "batch"});
  CHECK(verdict.principal->proof == config::Proof::api_key);
  CHECK(key.secret.find("_" + verdict.principal->credential_id + "_") != std::string::npos);

  CHECK(keys->verify(key.secret, WallTime{now.ns + day.ns - 1}).fault == KeyFault::none);
  CHECK(keys->verify(key.secret, now + day).fault == KeyFault::expired);
  CHECK(keys->verify(key.secret, now + day).principal == nullptr);
}

TEST_CASE("subjects and groups of any text survive the file") {
  const std::string odd = "a\"b\\c: #d '${env:HOME} $${ \xC3\xA9";
  const auto keys = keys_of(make_key(odd, {odd, "- x"}, never, random_bytes(2)).yaml_entry);
  CHECK(keys->principal(0).subject == odd);
  CHECK(keys->principal(0).groups == std::vector<std::string>{odd, "- x"});
  CHECK(keys->principal(0).expires == never);
}

TEST_CASE("every change of a key makes it unknown or malformed") {
  const NewKey key = make_key("ann", {}, now + day, random_bytes(3));
  const NewKey other = make_key("bob", {}, now + day, random_bytes(4));
  const auto keys = keys_of(key.yaml_entry + other.yaml_entry);
  for (std::size_t i = 0; i < key.secret.size(); ++i) {
    std::string changed = key.secret;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    INFO(changed);
    const KeyFault fault = keys->verify(changed, now).fault;
    CHECK((fault == KeyFault::unknown || fault == KeyFault::malformed));
    CHECK(keys->verify(key.secret.substr(0, i), now).fault != KeyFault::none);
  }
  CHECK(keys->verify(key.secret + "x", now).fault == KeyFault::malformed);
  const std::string crossed = key.secret.substr(0, 16) + other.secret.substr(16);
  CHECK(keys->verify(crossed, now).fault == KeyFault::unknown);
  for (const char* bad : {"", "sk_", "sk__", "token", "sk_id_short"}) {
    CHECK(keys->verify(bad, now).fault == KeyFault::malformed);
  }
  CHECK(keys->verify(std::string(513, 'a'), now).fault == KeyFault::malformed);
  // Expired is told only to who knows the secret.
  std::string wrong = key.secret;
  wrong.back() = wrong.back() == 'x' ? 'y' : 'x';
  CHECK(keys->verify(wrong, now + day).fault == KeyFault::unknown);
}

TEST_CASE("a machine-made key may come as a password, under its own names only") {
  const NewKey key = make_key("ann", {}, now + day, random_bytes(5));
  const auto keys = keys_of(key.yaml_entry);
  const std::string& id = keys->principal(0).credential_id;
  CHECK(keys->verify(":" + key.secret, now).fault == KeyFault::none);
  CHECK(keys->verify("ann:" + key.secret, now).fault == KeyFault::none);
  CHECK(keys->verify(id + ":" + key.secret, now).fault == KeyFault::none);
  CHECK(keys->verify("bob:" + key.secret, now).fault == KeyFault::unknown);
}

TEST_CASE("a chosen secret needs the slow proof") {
  const auto keys = keys_of(login_entry("ann-laptop", "ann"));
  for (const char* login :
       {"ann:open sesame", "ann-laptop:open sesame", "ann:wrong", "bob:open sesame"}) {
    // The fast path tells nobody which of them is right.
    CHECK(keys->verify(login, now).fault == KeyFault::needs_slow_proof);
  }
  CHECK(keys->verify_slow("ann:open sesame", now).fault == KeyFault::none);
  CHECK(keys->verify_slow("ann-laptop:open sesame", now).principal->subject == "ann");
  CHECK(keys->verify_slow("ann:open sesam", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("ann:", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("bob:open sesame", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("ann:open sesame", now + day).fault == KeyFault::expired);
  CHECK(keys->verify_slow("ann:wrong", now + day).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("ann", now).fault == KeyFault::malformed);
}

TEST_CASE("without chosen secrets in the file no login costs scrypt") {
  const auto keys = keys_of(make_key("ann", {}, never, random_bytes(6)).yaml_entry);
  CHECK(keys->verify("ann:secret", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("ann:secret", now).fault == KeyFault::unknown);
}

TEST_CASE("a subject with two chosen secrets logs in by their ids") {
  const auto keys = keys_of(login_entry("old", "ann") + login_entry("new", "ann"));
  CHECK(keys->verify_slow("old:open sesame", now).fault == KeyFault::none);
  CHECK(keys->verify_slow("new:open sesame", now).index == 1);
  CHECK(keys->verify_slow("ann:open sesame", now).fault == KeyFault::unknown);
}

TEST_CASE("an empty file holds no keys, and nobody gets in") {
  const auto keys = keys_of("[]");
  CHECK(keys->size() == 0);
  CHECK(keys->verify(make_key("ann", {}, never, random_bytes(7)).secret, now).fault ==
        KeyFault::unknown);
}

TEST_CASE("each bad keys file is refused with its place and its reason") {
  const std::string good = "id: a, subject: s, expires: never, ";
  const std::pair<std::string, std::string> cases[] = {
      {"", "keys.yaml:1:1: the file is empty"},
      {"keys: []", "keys.yaml:1:1: expected a list of keys"},
      {"- a", "keys.yaml:1:3: expected a section with keys, found a text"},
      {"- {" + good + "}", "keys.yaml:1:3: a key has either 'sha256' or 'scrypt'"},
      {"- {" + good + "sha256: " + digest + ", scrypt: x}",
       "keys.yaml:1:3: a key has either 'sha256' or 'scrypt'"},
      {"- {" + good + "sha256: abc}", "keys.yaml:1:47: 'sha256' takes 64 hex digits"},
      {"- {" + good + "sha256: " + digest + "aa}", "keys.yaml:1:47: 'sha256' takes 64 hex digits"},
      {"- {" + good + "scrypt: x}", "keys.yaml:1:47: a scrypt hash is N$r$p$salt$hash"},
      {"- {" + good + "secret: sk_a_b}",
       "keys.yaml:1:39: unknown key 'secret'; did you mean 'scrypt'?"},
      {"- {subject: s, expires: never, sha256: " + digest + "}",
       "keys.yaml:1:3: 'id' is missing: Names the key in records; part of the key."},
      {"- {id: a, expires: never, sha256: " + digest + "}",
       "keys.yaml:1:3: 'subject' is missing: Who the key stands for."},
      {"- {id: a, subject: s, sha256: " + digest + "}",
       "keys.yaml:1:3: 'expires' is missing: 2027-01-31, 2027-01-31T12:00:00Z or never."},
      {"- {id: a, subject: s, expires: soon, sha256: " + digest + "}",
       "keys.yaml:1:32: 'soon' is not a time; write 2027-01-31, 2027-01-31T12:00:00Z or never"},
      {"- {id: a, subject: '*', expires: never, sha256: " + digest + "}",
       "keys.yaml:1:20: '*' means everyone and can't be a subject"},
      {"- {id: 'a b', subject: s, expires: never, sha256: " + digest + "}",
       "keys.yaml:1:8: 'id': 'a b' is not a name: letters, digits, '.', '_', '-'; at most 64"},
      {"- {" + good + "groups: g, sha256: " + digest + "}",
       "keys.yaml:1:47: 'groups' must be a list, not a text; write [a, b] or one '- …' a line"},
      {"- {" + good + "sha256: " + digest + "}\n- {" + good + "sha256: " + digest + "}",
       "keys.yaml:2:8: id 'a' is there twice; first at line 1"},
      {login_entry("ann", "bob") + login_entry("x", "ann"),
       "keys.yaml:6:7: subject 'ann' is also the id of the login at line 1"},
      {"- {<<: {}}", "keys.yaml:1:4: merge keys ('<<') are not allowed: write the values out"}};
  for (const auto& [yaml, message] : cases) {
    INFO(yaml);
    CHECK(error_of(yaml) == message);
  }
}

TEST_CASE("Without a keys file no key is known") {
  const auto keys = ApiKeys::none({1});
  CHECK(keys->size() == 0);
  const NewKey key = make_key("somebody", {}, now + day, random_bytes(1));
  CHECK(keys->verify(key.secret, now).fault == KeyFault::unknown);
  CHECK(keys->verify("login:secret", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("login:secret", now).fault == KeyFault::unknown);
}

TEST_CASE("a key made with a salt can be proven by SCRAM, one made without cannot") {
  const std::vector<std::uint8_t> salt(scram_salt_bytes, 7);
  const NewKey plain = make_key("ann", {}, now + day, random_bytes(1));
  CHECK(plain.yaml_entry.find("scram") == std::string::npos);
  const NewKey key = make_key("ann", {"staff"}, now + day, random_bytes(2), salt);
  const auto keys = keys_of(plain.yaml_entry + key.yaml_entry);
  CHECK(keys->verify(key.secret, now).fault == KeyFault::none);
  CHECK(keys->verify(plain.secret, now).fault == KeyFault::none);

  const auto login = keys->scram_login("ann", now);
  REQUIRE(login);
  CHECK(login->index == 1);
  CHECK(login->verifier.text() ==
        make_scram_verifier(key.secret, salt, scram_iterations_min)->text());
  CHECK(keys->proven(1, now).fault == KeyFault::none);
  CHECK(keys->proven(1, now).principal->groups == std::vector<std::string>{"staff"});
  CHECK(keys->proven(1, now + day).fault == KeyFault::expired);
}

TEST_CASE("of a subject's verifiers the last that has not expired counts") {
  const std::vector<std::uint8_t> salt(scram_salt_bytes, 7);
  const auto entry = [&](std::uint8_t seed, WallTime expires) {
    return make_key("ann", {}, expires, random_bytes(seed), salt).yaml_entry;
  };
  const auto keys = keys_of(entry(1, now + day) + entry(2, now + day) + entry(3, now));
  CHECK(keys->scram_login("ann", now).value().index == 1);
  // All of them over: the last one's secret is what tells so.
  CHECK(keys->scram_login("ann", now + day).value().index == 2);
}

TEST_CASE("who has no verifier is asked like who has one, and the same each time") {
  const std::vector<std::uint8_t> salt(scram_salt_bytes, 7);
  std::string file = make_key("plain", {}, now + day, random_bytes(1)).yaml_entry;
  file += "- id: x\n  subject: ann\n  expires: never\n  sha256: " + digest + "\n  scram: '" +
          make_scram_verifier("secret", salt, 8192)->text() + "'\n";
  const auto keys = keys_of(file);
  CHECK(keys->scram_login("ann", now).value().index == 1);
  const ScramVerifier nobodys = keys->scram_login("nobody", now).value().verifier;
  CHECK(nobodys.iterations == 8192);
  CHECK(nobodys.salt.size() == salt.size());
  std::set<std::string> texts;
  for (const char* const subject : {"nobody", "nobod", "plain", "x", "", "Ann"}) {
    const ScramLogin login = keys->scram_login(subject, now).value();
    CHECK_FALSE(login.index);
    CHECK(login.verifier.text() ==
          keys_of(file)->scram_login(subject, now).value().verifier.text());
    texts.insert(login.verifier.text());
  }
  CHECK(texts.size() == 6);
  // It rests on the secret, and a key more in the file changes nothing.
  const auto others = must(ApiKeys::parse(file, "keys.yaml", {2}));
  CHECK(others->scram_login("nobody", now).value().verifier.salt != nobodys.salt);
  const auto more = keys_of(make_key("bob", {}, now, random_bytes(3)).yaml_entry + file);
  CHECK(more->scram_login("nobody", now).value().verifier.text() == nobodys.text());
  CHECK_FALSE(ApiKeys::none({1})->scram_login("nobody", now).value().index);
}

TEST_CASE("a broken verifier is reported with its place and never quoted") {
  const std::string start =
      "- id: a\n  subject: s\n  expires: never\n  sha256: " + digest + "\n  scram: ";
  CHECK(error_of(start + "SCRAM-SHA-256$1:c2VjcmV0\n").starts_with("keys.yaml:5:"));
  CHECK(error_of(start + "SCRAM-SHA-256$1:c2VjcmV0\n").find("c2Vj") == std::string::npos);
  CHECK(error_of("- id: a\n  subject: s\n  expires: never\n  scram: x\n")
            .find("'sha256' or 'scrypt'") != std::string::npos);
}

TEST_CASE("a revoked key is as unknown as one that was never made, and is still shown") {
  const std::vector<std::uint8_t> salt(scram_salt_bytes, 7);
  const NewKey lost = make_key("ann", {"staff"}, now + day, random_bytes(1), salt);
  const NewKey kept = make_key("ann", {"staff"}, now + day, random_bytes(2), salt);
  const std::string file = kept.yaml_entry + lost.yaml_entry;
  const RevokedKeys revoked{id_of(lost), "of no key"};
  const auto all = keys_of(file);
  CHECK(all->revoked().empty());
  for (const auto& keys : {keys_without(file, revoked), all->without(revoked),
                           all->without(revoked)->without({})->without(revoked)}) {
    CHECK(keys->size() == 1);
    for (const std::string& shown : {lost.secret, "ann:" + lost.secret, ":" + lost.secret}) {
      CHECK(keys->verify(shown, now).fault == KeyFault::unknown);
      CHECK(keys->verify_slow(shown, now).fault == KeyFault::unknown);
    }
    const KeyVerdict verdict = keys->verify(kept.secret, now);
    REQUIRE(verdict.fault == KeyFault::none);
    CHECK(verdict.principal == &keys->principal(verdict.index));
    // The other one's verifier is the subject's now.
    const auto login = keys->scram_login("ann", now);
    CHECK(login.value().index == 0);
    CHECK(login.value().verifier.text() ==
          make_scram_verifier(kept.secret, salt, scram_iterations_min)->text());

    REQUIRE(keys->revoked().size() == 1);
    CHECK(keys->revoked()[0].credential_id == id_of(lost));
    CHECK(keys->revoked()[0].groups == std::vector<std::string>{"staff"});
    CHECK(keys->find(id_of(lost)) == &keys->revoked()[0]);
    CHECK(keys->find(id_of(kept)) == &keys->principal(0));
    CHECK(keys->find("of no key") == nullptr);
  }
  CHECK(all->verify(lost.secret, now).fault == KeyFault::none);
  const auto none = all->without({id_of(lost), id_of(kept)});
  CHECK(none->size() == 0);
  CHECK(none->verify(kept.secret, now).fault == KeyFault::unknown);
  // Asked like who has no verifier.
  const ScramLogin login = none->scram_login("ann", now).value();
  CHECK_FALSE(login.index);
  CHECK(login.verifier.salt.size() == salt.size());
}

TEST_CASE("who has a revoked chosen secret is refused, and another of that subject gains nothing") {
  const std::string file = login_entry("old", "ann") + login_entry("new", "ann") +
                           login_entry("ann-2", "bob") +
                           make_key("x", {}, never, random_bytes(1)).yaml_entry;
  const auto keys = keys_without(file, {"old"});
  CHECK(keys->verify_slow("old:open sesame", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("new:open sesame", now).principal->credential_id == "new");
  // A second secret kept them from logging in by the subject's name.
  CHECK(keys->verify_slow("ann:open sesame", now).fault == KeyFault::unknown);
  CHECK(keys->verify_slow("bob:open sesame", now).fault == KeyFault::none);
  const auto fewer = keys->without({"ann-2", "new"});
  for (const char* const login : {"bob", "ann-2", "new"}) {
    CHECK(fewer->verify_slow(std::string(login) + ":open sesame", now).fault == KeyFault::unknown);
  }
}

TEST_CASE("what is wrong with a revoked key's entry is still told") {
  const std::string entry = "- {id: a, subject: s, expires: never, sha256: " + digest + "}\n";
  const auto keys = ApiKeys::parse(entry + entry, "keys.yaml", {1}, {"a"});
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message == "keys.yaml:2:8: id 'a' is there twice; first at line 1");
}

TEST_CASE("what looks like a machine-made key is known by its form, and so is its id") {
  const NewKey key = make_key("ann", {}, never, random_bytes(1));
  CHECK(id_in_key(key.secret) == id_of(key));
  CHECK(id_in_key("sk_a_b_" + std::string(43, 'x')) == "a_b");
  for (const std::string& other :
       {id_of(key), std::string(), key.secret.substr(1), key.secret + "x",
        "sk_" + key.secret.substr(key.secret.size() - 43)}) {
    CHECK_FALSE(id_in_key(other));
  }
}
