// What a signer signs, what it says, and what it remembers: without a process.
#include <catch2/catch.hpp>

#include <cstring>

#include "audit/checkpoint.h"
#include "audit/log_signer.h"
#include "audit/signer_protocol.h"
#include "audit/signer_state.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

using signer_protocol::Message;

/// A tree that grows by one leaf a step, with its heads, and proofs between any two.
struct Growing {
  explicit Growing(std::uint8_t kind = 0) : kind_(kind) {
    for (std::uint8_t i = 0; i < 40; ++i) {
      trees.push_back(tree_);
      tree_.append(leaf(i));
    }
  }
  [[nodiscard]] std::array<std::uint8_t, 3> leaf(std::uint8_t i) const { return {0, i, kind_}; }
  [[nodiscard]] TreeHead head(std::size_t size) const { return TreeHead::of(trees[size]); }
  [[nodiscard]] Extension from(std::size_t before, std::size_t now) const {
    Tree tree = trees[before];
    TreeGrowth growth(tree);
    for (std::size_t i = before; i < now; ++i)
      growth.append(tree, leaf(static_cast<std::uint8_t>(i)));
    return {growth.before(), TreeHead::of(tree), growth.proof(tree)};
  }

  std::vector<Tree> trees;

 private:
  std::uint8_t kind_;
  Tree tree_;
};

Hash hash_of(std::uint8_t value) {
  Hash out{};
  out.fill(value);
  return out;
}

Verifier some_key(const test::TemporaryFolder& folder, const std::string& name) {
  return std::move(*Verifier::parse(*create_signing_key(folder.path() / name, "state.test")));
}

}  // namespace

TEST_CASE("A signer signs what continues the last tree that it signed") {
  const Growing log;
  SignedHeads heads;
  for (std::size_t size = 0; size + 3 < 40; size += 3) {
    const auto next = heads.after(log.from(size, size + 3));
    REQUIRE(next);
    CHECK(next->kept == log.head(size));
    CHECK(next->last == log.head(size + 3));
    heads = *next;
  }
}

TEST_CASE("A signer signs no older, no forked and no unproved tree") {
  const Growing log;
  const Growing other(1);
  const SignedHeads heads{log.head(10), log.head(20)};
  CHECK(heads.after(log.from(20, 20)));
  CHECK(heads.after(log.from(20, 30)));
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t now = before; now < 40; ++now) {
      INFO(before << " to " << now);
      const bool is_known = before == 10 || before == 20;
      CHECK(heads.after(log.from(before, now)).has_value() == is_known);
      CHECK_FALSE(heads.after(other.from(before, now)));
      Extension bad = log.from(before, now);
      bad.now.root[5] ^= 1U;
      CHECK_FALSE(heads.after(bad));
      bad = log.from(before, now);
      std::swap(bad.before, bad.now);
      CHECK((before == now || !heads.after(bad)));
      bad = log.from(before, now);
      bad.proof.emplace_back();
      CHECK_FALSE(heads.after(bad));
    }
  }
  Extension grafted = other.from(20, 30);
  grafted.before = log.head(20);
  CHECK_FALSE(heads.after(grafted));
}

TEST_CASE("What was signed and lost may be signed otherwise until it was continued") {
  const Growing log;
  const Growing other(1);
  SignedHeads heads{log.head(10), log.head(20)};
  // The batch of ten was lost; the log goes on with one of five.
  heads = *heads.after(log.from(10, 15));
  CHECK(heads == SignedHeads{log.head(10), log.head(15)});
  heads = *heads.after(log.from(15, 16));
  CHECK_FALSE(heads.after(log.from(10, 20)));
  CHECK(heads.after(log.from(15, 20)));
}

TEST_CASE("Each message of the signer has one spelling") {
  const Growing log;
  for (const auto& request : {log.from(0, 0), log.from(0, 9), log.from(7, 39)}) {
    const Message message = signer_protocol::encode(5, request);
    REQUIRE(message.size() == 89 + 32 * request.proof.size());
    const auto parsed = signer_protocol::parse_request(message);
    REQUIRE(parsed);
    CHECK(parsed->sealed == 5);
    CHECK(parsed->next.before == request.before);
    CHECK(parsed->next.now == request.now);
    CHECK(parsed->next.proof == request.proof);
    for (std::size_t cut = 0; cut < message.size(); ++cut) {
      const auto shorter = signer_protocol::parse_request(ByteView(message).first(cut));
      CHECK(shorter.has_value() == (cut >= 89 && (cut - 89) % 32 == 0));
    }
  }
  Extension longest{log.head(1), log.head(2), std::vector<Hash>(proof_hashes_max, hash_of(3))};
  CHECK(signer_protocol::encode(0, longest).size() <= signer_protocol::message_bytes_max);
  CHECK(signer_protocol::parse_request(signer_protocol::encode(0, longest)));
  longest.proof.emplace_back();
  CHECK_FALSE(signer_protocol::parse_request(signer_protocol::encode(0, longest)));

  signer_protocol::Greeting greeting{{}, {log.head(3), log.head(5)}, "a+b+c", "a seal"};
  greeting.keys.operations.fill(7);
  greeting.keys.mocks = hash_of(9);
  const Message hello = signer_protocol::encode(greeting);
  const auto heard = signer_protocol::parse_greeting(hello);
  REQUIRE(heard);
  CHECK(heard->keys.operations == greeting.keys.operations);
  CHECK(heard->keys.mocks == greeting.keys.mocks);
  CHECK(heard->heads == greeting.heads);
  CHECK(heard->verifier == "a+b+c");
  CHECK(heard->seal == "a seal");
  CHECK_FALSE(signer_protocol::parse_greeting(ByteView(hello).first(178)));

  signer_protocol::Answer given;
  given.signature.fill(1);
  for (const std::string& seal : {std::string(), std::string("a seal")}) {
    given.seal = seal;
    const auto got = signer_protocol::parse_answer(signer_protocol::encode(given));
    REQUIRE(got);
    CHECK(got->signature == given.signature);
    CHECK(got->seal == seal);
  }
  const Message answer = signer_protocol::encode(given);
  CHECK_FALSE(signer_protocol::parse_answer(ByteView(answer).first(64)));
  const Message refusal = signer_protocol::encode_refusal("not this one");
  CHECK(signer_protocol::parse_answer(refusal).error().message == "not this one");
  CHECK(signer_protocol::parse_greeting(refusal).error().message == "not this one");
  CHECK_FALSE(signer_protocol::parse_answer(hello));
  CHECK_FALSE(signer_protocol::parse_greeting(answer));
  CHECK_FALSE(signer_protocol::parse_request(answer));
  CHECK_FALSE(signer_protocol::parse_request({}));
  const Message package = signer_protocol::encode_package(hash_of(4));
  CHECK(signer_protocol::parse_package(package) == hash_of(4));
  CHECK_FALSE(signer_protocol::parse_request(package));
  CHECK_FALSE(signer_protocol::parse_package(signer_protocol::encode(0, longest)));
  for (std::size_t cut = 0; cut < package.size(); ++cut) {
    CHECK_FALSE(signer_protocol::parse_package(ByteView(package).first(cut)));
  }
  CHECK(signer_protocol::encode_refusal(std::string(9000, 'x')).size() <
        signer_protocol::message_bytes_max);
}

Result<SignerState> open_state(const std::filesystem::path& path, const Verifier& key) {
  auto state = SignerState::open(path);
  if (!state) return state;
  if (auto done = state->recall(key); !done) return tl::unexpected(done.error());
  return state;
}

TEST_CASE("A signer's state comes back as it was stored last") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "made" / "state";
  const Verifier key = some_key(folder, "key");
  const Growing log;
  {
    auto state = open_state(path, key);
    REQUIRE(state);
    CHECK(state->heads() == SignedHeads{});
  }
  SignedHeads heads;
  for (std::size_t size = 0; size < 9; ++size) {
    auto state = open_state(path, key);
    REQUIRE(state);
    CHECK(state->heads() == heads);
    heads = {log.head(size), log.head(size + 1)};
    REQUIRE(state->store(heads));
    CHECK(state->heads() == heads);
    REQUIRE(state->sync());
  }
  CHECK(std::filesystem::file_size(path) < 8192);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("A torn write of a signer's state costs the last one and no more") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "state";
  const Verifier key = some_key(folder, "key");
  const Growing log;
  const SignedHeads first{log.head(1), log.head(2)};
  const SignedHeads second{log.head(2), log.head(3)};
  {
    auto state = open_state(path, key);
    REQUIRE((state->store(first) && state->store(second)));
  }
  const std::string good = read_file(path);
  // Four were stored, the two empty ones first: the last is in the first slot.
  for (std::size_t at = 0; at < 144; ++at) {
    std::string torn = good;
    torn[at] = static_cast<char>(torn[at] ^ 0x10);
    write_file(path, torn);
    CHECK(open_state(path, key)->heads() == first);
    torn = good;
    torn[4096 + at] = static_cast<char>(torn[4096 + at] ^ 0x10);
    write_file(path, torn);
    CHECK(open_state(path, key)->heads() == second);
    torn[at] = static_cast<char>(torn[at] ^ 0x10);
    write_file(path, torn);
    CHECK_FALSE(open_state(path, key));
  }
}

TEST_CASE("A signer's state belongs to one key and to one signer at a time") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "state";
  const Verifier key = some_key(folder, "key");
  {
    const auto held = open_state(path, key);
    REQUIRE(held);
    const auto second = open_state(path, key);
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("in use by another gateway") != std::string::npos);
  }
  const auto other = open_state(path, some_key(folder, "other"));
  REQUIRE_FALSE(other);
  CHECK(other.error().message.find("is that of another key") != std::string::npos);
  CHECK(open_state(path, key));
  CHECK_FALSE(open_state(folder.path(), key));
}

TEST_CASE("A signer's state keeps the seal in force, and nothing of the key before") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "state";
  auto key = Signer::of_seed("state.test", hash_of(4));
  REQUIRE(key);
  const auto open = [&] {
    auto state = open_state(path, key->verifier());
    REQUIRE(state);
    return std::move(*state);
  };
  std::vector<std::string> seeds;
  for (std::uint64_t number = 1; number < 5; ++number) {
    SignerState state = open();
    CHECK(state.sealing().has_value() == (number > 1));
    const Sealing* before = state.sealing() ? &*state.sealing() : nullptr;
    if (before != nullptr) CHECK(as_text(before->seed.bytes()) == seeds.back());
    auto next = next_seal(*key, before, {}, 100, seconds(1));
    REQUIRE(next);
    seeds.emplace_back(as_text(next->seed.bytes()));
    const std::string note = next->note;
    REQUIRE(state.keep(std::move(*next)));
    CHECK(state.sealing()->note == note);
    const std::string content = read_file(path);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      CHECK((content.find(seeds[i]) != std::string::npos) == (i + 1 == seeds.size()));
    }
  }
  // Torn in the first slot, it is in the second; a kill between the two leaves the newer.
  const std::string good = read_file(path);
  std::string torn = good;
  torn[8192 + 100] = static_cast<char>(torn[8192 + 100] ^ 1);
  write_file(path, torn);
  CHECK(open().sealing()->seal.number == 4);
  CHECK(read_file(path) == good);
}

}  // namespace sluice::audit
