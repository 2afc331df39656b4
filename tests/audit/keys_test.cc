#include "audit/keys.h"

#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "audit/checkpoint.h"
#include "base/text_codec.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

// The key pair and the note of Go's golang.org/x/mod/sumdb/note documentation.
constexpr std::string_view known_private =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view known_public =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view known_text =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr std::string_view known_signature =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

Signer known_signer() {
  auto signer = Signer::parse(known_private);
  REQUIRE(signer);
  return std::move(*signer);
}

}  // namespace

TEST_CASE("Keys and signatures are those of Go's signed notes") {
  Signer signer = known_signer();
  CHECK(signer.verifier().line() == known_public);
  const auto signature = signer.sign(as_bytes(known_text));
  REQUIRE(signature);
  std::string tagged(as_text(signer.verifier().id()));
  tagged += as_text(*signature);
  CHECK(to_base64(as_bytes(tagged)) == known_signature);
  const auto verifier = Verifier::parse(known_public);
  REQUIRE(verifier);
  CHECK(verifier->verify(as_bytes(known_text), *signature));
  CHECK_FALSE(verifier->verify(as_bytes("other"), *signature));
}

TEST_CASE("Malformed keys are refused") {
  const std::string good(known_public);
  CHECK(Verifier::parse(good + "\n"));
  for (const std::string& bad :
       {std::string(), std::string("PeterNeumann"), std::string("PeterNeumann+c74f20a3"),
        "x" + good, good + "A", good + " ", good.substr(0, good.size() - 1),
        std::string("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("PeterNeumann+c74f20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string(known_private)}) {
    INFO(bad);
    CHECK_FALSE(Verifier::parse(bad));
  }
  CHECK_FALSE(Signer::parse(known_public));
  CHECK_FALSE(Signer::parse(std::string(known_private).substr(0, 60)));
}

TEST_CASE("A new key file is private, is never overwritten and loads") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "log.key";
  const auto line = create_signing_key(path, "gateway.test/audit");
  REQUIRE(line);
  CHECK(line->starts_with("gateway.test/audit+"));
  struct ::stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  CHECK_FALSE(create_signing_key(path, "gateway.test/audit"));
  const auto signer = Signer::load(path);
  REQUIRE(signer);
  CHECK(signer->verifier().line() == *line);

  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  const auto exposed = Signer::load(path);
  REQUIRE_FALSE(exposed);
  CHECK(exposed.error().message.find("0600") != std::string::npos);
}

TEST_CASE("Origins that a note could not carry are refused") {
  const test::TemporaryFolder folder;
  for (const std::string& origin : {std::string(), std::string("a b"), std::string("a+b"),
                                    std::string("a\nb"), std::string("é"), std::string(201, 'a')}) {
    INFO(origin);
    CHECK_FALSE(create_signing_key(folder.path() / "k", origin));
    CHECK_FALSE(std::filesystem::exists(folder.path() / "k"));
  }
}

TEST_CASE("A checkpoint reads back and every changed byte of it is refused") {
  Signer signer = known_signer();
  const Hash root = sha256(as_bytes("root"));
  const auto note = sign_checkpoint(signer, 1234567, root);
  REQUIRE(note);
  const auto parsed = parse_checkpoint(*note);
  REQUIRE(parsed);
  CHECK(parsed->checkpoint.size == 1234567);
  CHECK(parsed->checkpoint.root == root);
  CHECK(parsed->check(signer.verifier()));

  for (std::size_t i = 0; i < note->size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = *note;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ (1U << bit));
      const auto again = parse_checkpoint(changed);
      if (again) CHECK_FALSE(again->check(signer.verifier()));
    }
  }
  for (std::size_t length = 0; length < note->size(); ++length) {
    CHECK_FALSE(parse_checkpoint(std::string_view(*note).substr(0, length)));
  }
  CHECK_FALSE(parse_checkpoint(*note + "\n"));
  CHECK_FALSE(parse_checkpoint(*note + *note));
}

}  // namespace sluice::audit
