// Proofs of keys, of anyone's choosing: whoever sends one chose the key, too.
//
// The input is "header\0claims\0signature", each before base64url; without a zero byte it is the
// proof as it stands. Oracles: what is read is whole, and the same text gets the same verdict.
#include <cstdlib>
#include <string>

#include "base/text_codec.h"
#include "identity/dpop.h"

namespace {

using namespace sluice;
using namespace sluice::identity;

constexpr WallTime now{1'800'000'000'000'000'000};

std::string proof_of(std::string_view input) {
  if (input.find('\0') == input.npos) return std::string(input);
  std::string proof;
  for (int part = 0; part < 3; ++part) {
    const std::size_t end = part < 2 ? input.find('\0') : input.npos;
    if (part != 0) proof += '.';
    proof += to_base64url(as_bytes(input.substr(0, end)));
    input.remove_prefix(end == input.npos ? input.size() : end + 1);
  }
  return proof;
}

TokenFault judge(std::string_view text) {
  const auto proof = read_dpop(text);
  if (!proof) return proof.error();
  if (proof->uri.empty() || proof->id.empty() || !proof->key.key) std::abort();
  return verify_dpop(*proof, {"GET", "token"}, now, seconds(60));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = proof_of(as_text({data, size}));
  const TokenFault fault = judge(text);
  if (judge(text) != fault) std::abort();
  return 0;
}
