#include "evidence/ssh_signature.h"

#include <catch2/catch.hpp>

#include "log_fixture.h"

namespace sluice::evidence {
namespace {

TEST_CASE("A signature is good for its message and key only, whichever bit changes") {
  const audit::LogFolder folder;
  audit::LocalSigner signer(*audit::Signer::load(folder.options.signing_key));
  const auto& verifier = signer.verifier();
  const std::string message = "what is signed";
  const std::string armored = *ssh_sign(signer, message);
  CHECK(ssh_check(verifier, message, armored));
  CHECK_FALSE(ssh_check(verifier, message + " ", armored));

  const audit::LogFolder other;
  const auto other_signer = *audit::Signer::load(other.options.signing_key);
  CHECK_FALSE(ssh_check(other_signer.verifier(), message, armored));

  for (std::size_t bit = 0; bit < 8 * armored.size(); ++bit) {
    std::string changed = armored;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    if (ssh_check(verifier, message, changed)) FAIL("bit " << bit);
  }
}

TEST_CASE("A signature that is cut is none") {
  const audit::LogFolder folder;
  audit::LocalSigner signer(*audit::Signer::load(folder.options.signing_key));
  const std::string armored = *ssh_sign(signer, "message");
  for (std::size_t size = 0; size < armored.size(); ++size) {
    if (ssh_check(signer.verifier(), "message", armored.substr(0, size))) FAIL(size);
  }
}

TEST_CASE("The signer's line names origin, purpose and key") {
  const audit::LogFolder folder;
  const auto signer = *audit::Signer::load(folder.options.signing_key);
  const std::string line = ssh_allowed_signer(signer.verifier());
  CHECK(
      line.starts_with("gateway.test/audit namespaces=\"sluice-evidence\" ssh-ed25519 AAAAC3Nza"));
  CHECK(line.ends_with('\n'));
}

}  // namespace
}  // namespace sluice::evidence
