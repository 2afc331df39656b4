#include "identity/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <catch2/catch.hpp>
#include <set>

#include "base/text_codec.h"
#include "must.h"

using namespace sluice;
using namespace sluice::identity;
using sluice::test::must;

namespace {

// RFC 7677 §3.
const std::string client_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string both_nonces = client_nonce + server_nonce;
const std::string server_first = "r=" + both_nonces + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string stored =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

ScramServer server() {
  return {must(ScramVerifier::parse(stored)), server_nonce};
}

std::string said(const Result<std::string, ScramFault>& answer) {
  return answer ? *answer : std::string(text(answer.error()));
}

const ScramKeys& keys() {
  static const ScramKeys derived =
      derive_scram_keys("pencil", must(ScramVerifier::parse(stored)).salt, 4096).value();
  return derived;
}

/// A last message whose proof is right for everything said, whatever that was.
std::string proven(const std::string& first_bare, const std::string& unproven) {
  const std::string said = first_bare + ',' + server_first + ',' + unproven;
  Digest proof{};
  HMAC(EVP_sha256(), keys().stored_key.data(), static_cast<int>(keys().stored_key.size()),
       as_bytes(said).data(), said.size(), proof.data(), nullptr);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= keys().client_key[i];
  return unproven + ",p=" + to_base64(proof);
}

std::string begun(std::string_view first) {
  return said(server().begin(scram_mechanism, first));
}

/// What a server says at last to a client that begins as usual.
std::string finished(std::string_view final) {
  ScramServer one = server();
  REQUIRE(one.begin(scram_mechanism, "n,,n=,r=" + client_nonce));
  return said(one.finish(final));
}

/// The fault of a server's first message, or "none".
std::string challenged(std::string_view message) {
  ScramClient client(client_nonce);
  const auto challenge = client.challenge(message);
  return std::string(text(challenge ? ScramFault::none : challenge.error()));
}

/// The fault of a server's last message.
std::string verified(std::string_view message) {
  ScramClient client(client_nonce);
  REQUIRE(client.challenge(server_first));
  REQUIRE(client.prove(keys()));
  return std::string(text(client.verify(message)));
}

}  // namespace

TEST_CASE("a server answers the example of RFC 7677 section 3") {
  ScramServer one = server();
  CHECK(said(one.begin(scram_mechanism, "n,,n=user,r=" + client_nonce)) == server_first);
  CHECK(said(one.finish("c=biws,r=" + both_nonces +
                        ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")) ==
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("a client proves itself without a name, and then knows its server") {
  ScramClient client(client_nonce);
  CHECK(client.first() == "n,,n=,r=" + client_nonce);
  const auto challenge = client.challenge(server_first);
  REQUIRE(challenge);
  CHECK(challenge->iterations == 4096);
  CHECK(to_base64(challenge->salt) == "W22ZaJ0SNY7soEsUEjb6gQ==");
  const std::string final =
      "c=biws,r=" + both_nonces + ",p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k=";
  CHECK(said(client.prove(keys())) == final);
  CHECK(client.verify("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=") == ScramFault::none);
  CHECK(finished(final) == "v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=");
}

TEST_CASE("a verifier is made, stored and read back as PostgreSQL has it") {
  const ScramVerifier verifier = must(ScramVerifier::parse(stored));
  CHECK(verifier.text() == stored);
  CHECK(must(make_scram_verifier("pencil", verifier.salt, 4096)).text() == stored);
  // Beyond ASCII the bytes count as they are.
  const auto other =
      must(make_scram_verifier("p\xC3\xA4ssword\xC2\xA0", as_bytes("0123456789abcdef"), 4096));
  CHECK(to_base64(other.server_key) == "cDBTpYauoA0GX/Wsewoj2l3wIqv/XtrFcrO7NtfXggc=");
}

TEST_CASE("a broken, weak or hungry verifier is refused") {
  const std::string salt = to_base64(std::vector<std::uint8_t>(16, 1));
  const std::string key = to_base64(std::vector<std::uint8_t>(32, 2));
  const auto is_taken = [](const std::string& text) {
    return ScramVerifier::parse(text).has_value();
  };
  const auto verifier = [&](const std::string& count, const std::string& salt_text) {
    return "SCRAM-SHA-256$" + count + ":" + salt_text + "$" + key + ":" + key;
  };
  CHECK(is_taken(verifier("4096", salt)));
  CHECK(is_taken(verifier("1000000", salt)));
  for (const char* const count :
       {"", "0", "4095", "1000001", "04096", "+4096", "-1", "4096 ", "99999999999", "4e3"}) {
    CAPTURE(count);
    CHECK_FALSE(is_taken(verifier(count, salt)));
  }
  CHECK_FALSE(is_taken(verifier("4096", "")));
  CHECK_FALSE(is_taken(verifier("4096", to_base64(std::vector<std::uint8_t>(15, 1)))));
  CHECK_FALSE(is_taken(verifier("4096", to_base64(std::vector<std::uint8_t>(257, 1)))));
  CHECK_FALSE(is_taken(verifier("4096", salt.substr(1))));
  const std::string start = "SCRAM-SHA-256$4096:" + salt + "$";
  CHECK_FALSE(is_taken(start + key));
  CHECK_FALSE(is_taken(start + key + ":"));
  CHECK_FALSE(is_taken(start + key + ":" + salt));
  CHECK_FALSE(is_taken(start + key + ":" + key + ":" + key));
  CHECK_FALSE(is_taken(start + key + "$" + key));
  CHECK_FALSE(is_taken("SCRAM-SHA-1$4096:" + salt + "$" + key + ":" + key));
  CHECK_FALSE(is_taken("md5c4ca4238a0b923820dcc509a6f75849b"));
  CHECK_FALSE(is_taken(""));
  const auto refused = ScramVerifier::parse(start + "c2VjcmV0:" + key);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("c2VjcmV0") == std::string::npos);
}

TEST_CASE("a server reads a first message strictly") {
  const std::string nonce = "r=" + client_nonce;
  CHECK(begun("n,,n=," + nonce) == server_first);
  CHECK(begun("y,,n=," + nonce) == server_first);
  CHECK(begun("n,,n=a=2Cb=3D," + nonce) == server_first);
  CHECK(begun("n,,n=," + nonce + ",x=later,y=\xC3\xA4") == server_first);
  for (const std::string& channel_binding :
       {"p=tls-server-end-point,,n=," + nonce, "p=tls-unique,," + nonce, std::string("p=")}) {
    CHECK(begun(channel_binding) == "channel_binding");
  }
  CHECK(begun("n,a=root,n=," + nonce) == "unsupported");
  CHECK(begun("y,a=,n=," + nonce) == "unsupported");
  CHECK(begun("n,,m=x,n=," + nonce) == "unsupported");
  for (const std::string& bad : std::vector<std::string>{
           std::string(),
           "n,,n=,r=",
           "n,,n=",
           "n,,n=,",
           "n,," + nonce,
           "n,n=," + nonce,
           "n=," + nonce,
           "N,,n=," + nonce,
           "x,,n=," + nonce,
           "n,,,n=," + nonce,
           "n,," + nonce + ",n=",
           "n,,n=a=2," + nonce,
           "n,,n=a=2c," + nonce,
           "n,,n==," + nonce,
           "n,,n=," + nonce + " ",
           "n,,n=," + nonce + "\x7F",
           "n,,n=," + nonce + "\xC3\xA4",
           "n,,n=," + nonce + ",",
           "n,,n=," + nonce + ",x",
           "n,,n=," + nonce + ",x=",
           "n,,n=," + nonce + ",1=x",
           "n,,n=," + nonce + ",xy=z",
           "n,,n=," + nonce + std::string(1, '\0'),
           "n,,n=," + nonce + ",x=" + std::string(1, '\0'),
           "n,,n=,r=" + std::string(scram_message_bytes_max, 'a'),
       }) {
    CAPTURE(bad);
    CHECK(begun(bad) == "malformed");
  }
}

TEST_CASE("a server binds the last message to all that was said before") {
  const std::string first = "n=,r=" + client_nonce;
  const std::string usual = "c=biws,r=" + both_nonces;
  const std::string right = proven(first, usual);
  CHECK(finished(right) == "v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=");
  CHECK(finished(proven(first, usual + ",x=y")).starts_with("v="));

  // Right proofs of the wrong thing.
  CHECK(finished(proven("n=eve,r=" + client_nonce, usual)) == "wrong_proof");
  CHECK(finished(proven(first, "c=eSws,r=" + both_nonces)) == "channel_binding");  // "y,,"
  CHECK(finished(proven(first, "c=bixhPXIsLA==,r=" + both_nonces)) == "channel_binding");
  CHECK(finished(proven(first, "c=biw=,r=" + both_nonces)) == "channel_binding");
  CHECK(finished(proven(first, "c=,r=" + both_nonces)) == "channel_binding");
  CHECK(finished(proven(first, "c=biws,r=" + client_nonce)) == "bad_nonce");
  CHECK(finished(proven(first, "c=biws,r=" + server_nonce)) == "bad_nonce");
  CHECK(finished(proven(first, usual + "x")) == "bad_nonce");
  CHECK(finished(proven(first, "c=biws,r=")) == "bad_nonce");
  CHECK(finished(usual + ",p=" + to_base64(Digest{})) == "wrong_proof");
  CHECK(finished(usual + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=") == "wrong_proof");
  for (std::size_t bit = 0; bit < 256; bit += 37) {
    auto proof = *from_base64(std::string_view(right).substr(right.rfind(",p=") + 3));
    proof[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK(finished(usual + ",p=" + to_base64(proof)) == "wrong_proof");
  }

  for (const std::string& bad : std::vector<std::string>{
           std::string(),
           usual,
           usual + ",",
           usual + ",p",
           usual + ",p=",
           usual + ",p=AAAA",
           usual + ",p=" + to_base64(std::vector<std::uint8_t>(33, 1)),
           right.substr(0, right.size() - 1),
           right + "=",
           right + ",",
           right + ",x=y",
           right + " ",
           right + std::string(1, '\0'),
           right.substr(7),
           "r=" + both_nonces + "," + right,
           usual + ",1=x" + right.substr(usual.size()),
           usual + ",x=" + right.substr(usual.size()),
           usual + "," + right.substr(usual.size()),
           right + std::string(scram_message_bytes_max, ' '),
       }) {
    CAPTURE(bad);
    CHECK(finished(bad) == "malformed");
  }
}

TEST_CASE("a client that could bind the channel and says so is served, and held to it") {
  ScramServer one = server();
  REQUIRE(one.begin(scram_mechanism, "y,,n=,r=" + client_nonce));
  CHECK(said(one.finish(proven("n=,r=" + client_nonce, "c=eSws,r=" + both_nonces)))
            .starts_with("v="));
  ScramServer other = server();
  REQUIRE(other.begin(scram_mechanism, "y,,n=,r=" + client_nonce));
  CHECK(said(other.finish(proven("n=,r=" + client_nonce, "c=biws,r=" + both_nonces))) ==
        "channel_binding");
}

TEST_CASE("a client does not let a server lead it by the nose") {
  const std::string salt = ",s=W22ZaJ0SNY7soEsUEjb6gQ==";
  const std::string start = "r=" + both_nonces + salt;
  CHECK(challenged(server_first) == "none");
  CHECK(challenged(start + ",i=1000000") == "none");
  CHECK(challenged(start + ",i=4096,x=y") == "none");
  CHECK(challenged(start + ",i=4095") == "bad_iterations");
  CHECK(challenged(start + ",i=1") == "bad_iterations");
  CHECK(challenged(start + ",i=1000001") == "bad_iterations");
  CHECK(challenged(start + ",i=4294967295") == "bad_iterations");
  CHECK(challenged("r=" + client_nonce + salt + ",i=4096") == "bad_nonce");
  CHECK(challenged("r=" + server_nonce + salt + ",i=4096") == "bad_nonce");
  CHECK(challenged("r=x" + both_nonces + salt + ",i=4096") == "bad_nonce");
  CHECK(challenged("m=x," + server_first) == "unsupported");
  for (const std::string& bad : std::vector<std::string>{
           std::string(),
           "r=" + both_nonces,
           start,
           start + ",i=",
           start + ",i=0",
           start + ",i=04096",
           start + ",i=-4096",
           start + ",i=4096 ",
           start + ",i=4294967296",
           start + ",i=4096,",
           start + ",i=4096,x",
           "r=,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
           "r=" + both_nonces + "\x01" + salt + ",i=4096",
           "r=" + both_nonces + ",s=,i=4096",
           "r=" + both_nonces + ",s=W22ZaJ0SNY7soEsUEjb6gQ=,i=4096",
           "r=" + both_nonces + ",s=W22Z aJ0SNY7soEsUEjb6gQ==,i=4096",
           "r=" + both_nonces + ",i=4096" + salt,
           "e=other-error",
           server_first + std::string(1, '\0'),
           server_first + ",x=" + std::string(scram_message_bytes_max, 'y'),
       }) {
    CAPTURE(bad);
    CHECK(challenged(bad) == "malformed");
  }
}

TEST_CASE("a client believes only a server that knows the password too") {
  const std::string right = "v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=";
  CHECK(verified(right) == "none");
  CHECK(verified(right + ",x=y") == "none");
  CHECK(verified("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == "wrong_signature");
  CHECK(verified("v=" + to_base64(Digest{})) == "wrong_signature");
  CHECK(verified("e=invalid-proof") == "refused");
  CHECK(verified("e=") == "refused");
  for (const std::string& bad :
       std::vector<std::string>{std::string(), std::string("v="), right.substr(0, 30), right + "=",
                                right + ",", "x=y," + right, right + '\0'}) {
    CAPTURE(bad);
    CHECK(verified(bad) == "malformed");
  }
}

TEST_CASE("no step works out of its turn or twice") {
  const std::string first = "n,,n=,r=" + client_nonce;
  const std::string final = proven("n=,r=" + client_nonce, "c=biws,r=" + both_nonces);
  CHECK(said(server().finish(final)) == "malformed");
  ScramServer one = server();
  REQUIRE(one.begin(scram_mechanism, first));
  CHECK(said(one.begin(scram_mechanism, first)) == "malformed");
  CHECK(said(one.finish(final)) == "malformed");
  ScramServer other = server();
  REQUIRE(other.begin(scram_mechanism, first));
  CHECK(said(other.finish("c=biws,r=" + both_nonces + ",p=" + to_base64(Digest{}))) ==
        "wrong_proof");
  CHECK(said(other.finish(final)) == "malformed");

  ScramClient early(client_nonce);
  CHECK(said(early.prove(keys())) == "malformed");
  CHECK(text(early.challenge(server_first).error()) == "malformed");
  ScramClient unproven(client_nonce);
  REQUIRE(unproven.challenge(server_first));
  CHECK(unproven.verify("v=" + to_base64(Digest{})) == ScramFault::malformed);
  ScramClient twice(client_nonce);
  REQUIRE(twice.challenge(server_first));
  REQUIRE(twice.prove(keys()));
  CHECK(twice.verify("v=" + to_base64(Digest{})) == ScramFault::wrong_signature);
  CHECK(twice.verify("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=") == ScramFault::malformed);
}

TEST_CASE("both sides agree for any password and only for the same one") {
  for (const std::string& password : {std::string(), std::string("a"), std::string("p\xC3\xA4ss"),
                                      std::string(300, 'x'), std::string("with,comma=sign")}) {
    const auto verifier = must(make_scram_verifier(password, as_bytes("0123456789abcdef"), 4096));
    for (const bool is_right : {true, false}) {
      ScramServer one(verifier, "server");
      ScramClient client("client");
      const auto challenge = client.challenge(said(one.begin(scram_mechanism, client.first())));
      REQUIRE(challenge);
      const auto derived = derive_scram_keys(is_right ? password : password + "x", challenge->salt,
                                             challenge->iterations);
      REQUIRE(derived);
      const auto answer = one.finish(said(client.prove(*derived)));
      REQUIRE(answer.has_value() == is_right);
      if (is_right) CHECK(client.verify(*answer) == ScramFault::none);
      if (!is_right) CHECK(answer.error() == ScramFault::wrong_proof);
    }
  }
}

TEST_CASE("every SCRAM fault has a name of its own") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ScramFault::no_crypto); ++i) {
    names.insert(text(static_cast<ScramFault>(i)));
  }
  CHECK(names.size() == static_cast<std::size_t>(ScramFault::no_crypto) + 1);
  CHECK(names.count("?") == 0);
}
