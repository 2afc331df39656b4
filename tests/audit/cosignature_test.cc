#include "audit/cosignature.h"

#include <catch2/catch.hpp>

#include "audit/witness_policy.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

Signer new_key(const test::TemporaryFolder& folder, const std::string& name) {
  const auto path = folder.path() / (std::filesystem::path(name).filename().string() + ".key");
  REQUIRE(create_signing_key(path, name));
  return std::move(*Signer::load(path));
}

struct Keys {
  test::TemporaryFolder folder;
  Signer log = new_key(folder, "log.test");
  Signer witness = new_key(folder, "witness.test/w1");
  Signer other = new_key(folder, "witness.test/w2");
  WitnessVerifier verifier = WitnessVerifier::of(witness.verifier());
  std::string note = *sign_checkpoint(log, 3, Hash{});
  std::string text = parse_checkpoint(note)->signed_text;
};

}  // namespace

TEST_CASE_METHOD(Keys, "A witness's line says when it saw the checkpoint, and nobody else's does") {
  const std::string line = *cosign(witness, text, 1'790'000'000);
  CHECK(verifier.check(text, line) == 1'790'000'000U);
  CHECK_FALSE(verifier.check(text + "x", line));
  CHECK_FALSE(verifier.check(text, *cosign(other, text, 1'790'000'000)));
  CHECK_FALSE(verifier.check(text, note.substr(note.find("\n\n") + 2)));
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    std::string bad = line;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    REQUIRE_FALSE(verifier.check(text, bad));
  }
}

TEST_CASE_METHOD(Keys, "A witness's key is another kind than a log's, with another id") {
  const auto parsed = WitnessVerifier::parse(verifier.line());
  REQUIRE(parsed);
  CHECK(parsed->line() == verifier.line());
  CHECK(parsed->name() == "witness.test/w1");
  CHECK(verifier.line() != witness.verifier().line());
  CHECK_FALSE(WitnessVerifier::parse(witness.verifier().line()));
  CHECK_FALSE(WitnessVerifier::parse("witness.test"));
  std::string bad = verifier.line();
  bad[bad.find('+') + 1] ^= 1;
  CHECK_FALSE(WitnessVerifier::parse(bad));
}

TEST_CASE_METHOD(Keys, "A cosigned checkpoint is the log's note and the witnesses' lines") {
  const std::string lines = *cosign(other, text, 5) + *cosign(witness, text, 7);
  const auto parsed = parse_cosigned(note + lines);
  REQUIRE(parsed);
  CHECK(parsed->note == note);
  CHECK(parsed->log.check(log.verifier()));
  CHECK(parsed->lines.size() == 2);
  CHECK(parsed->check(verifier) == 7U);
  CHECK(parse_cosigned(note)->lines.empty());
  CHECK_FALSE(parse_cosigned(note)->check(verifier));
  CHECK_FALSE(parse_cosigned(note + "x\n"));
  CHECK_FALSE(parse_cosigned(note + lines.substr(0, lines.size() - 1)));
  CHECK_FALSE(parse_cosigned(lines));
}

TEST_CASE_METHOD(Keys, "A policy says which witnesses are enough") {
  const std::string first = "witness one " + verifier.line() + " http://w1:8080\n";
  const std::string second =
      "witness two " + WitnessVerifier::of(other.verifier()).line() + " http://w2/sub\n";
  const auto policy = WitnessPolicy::parse("# ours\nlog " + log.verifier().line() + "\n\n" + first +
                                           second + "group both all one two\nquorum both\n");
  REQUIRE(policy);
  REQUIRE(policy->witnesses().size() == 2);
  CHECK(policy->witnesses()[1].url == "http://w2/sub");
  CHECK_FALSE(policy->is_optional());
  CHECK_FALSE(policy->is_enough({}));
  CHECK_FALSE(policy->is_enough({"one"}));
  CHECK(policy->is_enough({"one", "two"}));

  const auto any = WitnessPolicy::parse(first + second + "group g 1 one two\nquorum g");
  REQUIRE(any);
  CHECK(any->is_enough({"two"}));
  const auto none = WitnessPolicy::parse(first + "quorum none\n");
  REQUIRE(none);
  CHECK(none->is_optional());
  CHECK(none->is_enough({}));
}

TEST_CASE_METHOD(Keys, "A policy that says nothing, or the impossible, is refused") {
  const std::string first = "witness one " + verifier.line() + " http://w1:8080\n";
  for (const std::string& bad :
       {first, first + "quorum two\n", first + first + "quorum one\n",
        first + "group g 2 one\nquorum g\n", first + "group g 0 one\nquorum g\n",
        first + "group g any two\nquorum g\n", first + "group one any one\nquorum one\n",
        first + "group g all one one\nquorum g\n", first + "quorum one\nquorum none\n",
        std::string("witness one key http://w\nquorum one\n"), std::string("quorum"),
        first + "witnesses all\nquorum one\n",
        "witness none " + verifier.line() + " x\nquorum none"}) {
    INFO(bad);
    CHECK_FALSE(WitnessPolicy::parse(bad));
  }
}

}  // namespace sluice::audit
