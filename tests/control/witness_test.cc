// A witness signs what continues what it saw, and nothing else.
#include "control/witness.h"

#include <catch2/catch.hpp>

#include <array>

#include "audit/log.h"
#include "audit/merkle.h"
#include "base/text_codec.h"
#include "temporary_folder.h"

namespace sluice::control {
namespace {

using audit::Hash;

Hash leaf(std::uint64_t index) {
  return audit::sha256(as_bytes(std::to_string(index)));
}
Hash node(const Hash& left, const Hash& right) {
  return audit::sha256_node(1, left, right);
}

struct Witnessed {
  Witnessed() { restart(); }

  audit::Signer new_key(const std::string& name) const {
    const auto path = folder.path() / (name + ".key");
    if (!std::filesystem::exists(path)) REQUIRE(audit::create_signing_key(path, name));
    return std::move(*audit::Signer::load(path));
  }
  void restart() {
    witness.reset();
    Witness::Options options{new_key("witness.test"), {}, folder.path() / "state", [] {
                               return std::uint64_t{1'790'000'000};
                             }};
    options.logs.push_back(*audit::Verifier::parse(log.verifier().line()));
    auto opened = Witness::open(std::move(options));
    REQUIRE(opened);
    witness = std::move(*opened);
  }
  std::string note(std::uint64_t size) {
    return *audit::sign_checkpoint(log, size, roots.at(size));
  }
  HttpReply add(std::uint64_t old_size, const std::vector<Hash>& proof, const std::string& text) {
    std::string body = "old " + std::to_string(old_size) + "\n";
    for (const Hash& hash : proof) body += to_base64(hash) + "\n";
    return witness->answer(
        {.method = "POST", .target = "/add-checkpoint", .body = body + "\n" + text});
  }

  test::TemporaryFolder folder;
  audit::Signer log = new_key("log.test");
  std::unique_ptr<Witness> witness;
  // Of 0 to 4 leaves.
  std::vector<Hash> roots{audit::Tree{}.root(), leaf(0), node(leaf(0), leaf(1)),
                          node(node(leaf(0), leaf(1)), leaf(2)),
                          node(node(leaf(0), leaf(1)), node(leaf(2), leaf(3)))};
  std::vector<Hash> from_3_to_4{leaf(2), leaf(3), node(leaf(0), leaf(1))};
};

}  // namespace

TEST_CASE_METHOD(Witnessed, "A checkpoint that continues the last one is cosigned and remembered") {
  const HttpReply first = add(0, {}, note(3));
  REQUIRE(first.status == 200);
  const auto key = audit::WitnessVerifier::of(new_key("witness.test").verifier());
  CHECK(key.check(audit::parse_checkpoint(note(3))->signed_text, first.body) == 1'790'000'000U);
  CHECK(add(3, {}, note(3)).status == 200);
  restart();
  CHECK(add(3, from_3_to_4, note(4)).status == 200);
}

TEST_CASE_METHOD(Witnessed, "Who does not know how far the witness is learns it") {
  REQUIRE(add(0, {}, note(3)).status == 200);
  const HttpReply reply = add(0, {}, note(4));
  CHECK(reply.status == 409);
  CHECK(reply.content_type == "text/x.tlog.size");
  CHECK(reply.body == "3\n");
}

TEST_CASE_METHOD(Witnessed, "A past that is another is never cosigned") {
  REQUIRE(add(0, {}, note(3)).status == 200);
  // As long, with another root.
  CHECK(add(3, {}, *audit::sign_checkpoint(log, 3, leaf(9))).status == 409);
  // Longer, and not a continuation.
  CHECK(add(3, from_3_to_4, *audit::sign_checkpoint(log, 4, leaf(9))).status == 422);
  CHECK(add(3, {}, note(4)).status == 422);
  auto wrong = from_3_to_4;
  wrong[1] = leaf(7);
  CHECK(add(3, wrong, note(4)).status == 422);
  // Shorter: rolled back.
  CHECK(add(2, {}, note(2)).status == 409);
  CHECK(add(3, {}, note(2)).status == 400);
  restart();
  CHECK(add(0, {}, note(2)).status == 409);
  CHECK(add(3, from_3_to_4, note(4)).status == 200);
}

TEST_CASE_METHOD(Witnessed, "What is not a known log's checkpoint is refused") {
  audit::Signer stranger = new_key("stranger.test");
  CHECK(add(0, {}, *audit::sign_checkpoint(stranger, 1, roots[1])).status == 404);
  std::string forged = note(1);
  forged.replace(forged.find("\n1\n"), 3, "\n2\n");
  CHECK(add(0, {}, forged).status == 403);
  for (const std::string& body :
       {std::string(), std::string("old\n\n") + note(1), "old 0\n" + note(1),
        "old 00\n\n" + note(1), "old -1\n\n" + note(1), "old 0\nx\n\n" + note(1),
        "old 0\n\n" + note(1) + "more\n", std::string("old 0\n\n")}) {
    INFO(body);
    const HttpRequest request{.method = "POST", .target = "/add-checkpoint", .body = body};
    CHECK(witness->answer(request).status == 400);
  }
  CHECK(witness->answer({.method = "POST", .target = "/"}).status == 404);
  CHECK(witness->answer({.method = "GET", .target = "/add-checkpoint"}).status == 405);
  CHECK(add(0, {}, note(1)).status == 200);
}

TEST_CASE_METHOD(Witnessed, "A witness whose memory is damaged does not start") {
  REQUIRE(add(0, {}, note(3)).status == 200);
  witness.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder.path() / "state")) {
    std::filesystem::resize_file(file, 20);
  }
  Witness::Options options{new_key("witness.test"), {}, folder.path() / "state", {}};
  options.logs.push_back(*audit::Verifier::parse(log.verifier().line()));
  CHECK_FALSE(Witness::open(std::move(options)));
}

}  // namespace sluice::control
