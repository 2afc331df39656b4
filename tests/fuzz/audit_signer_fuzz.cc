// Any bytes as a request to the signer, and as its answers: what is accepted is written
// again in the same way, and nothing is signed that does not continue what was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "audit/signed_heads.h"
#include "audit/signer_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::audit;
  const sluice::ByteView bytes(data, size);
  const auto is_same = [bytes](const signer_protocol::Message& again) {
    return std::ranges::equal(again, bytes);
  };
  if (const auto request = signer_protocol::parse_request(bytes)) {
    if (!is_same(signer_protocol::encode(*request))) std::abort();
    const SignedHeads heads{{2, request->before.root}, {5, {}}};
    const auto after = heads.after(*request);
    const bool is_grown = request->now.size > 2 || request->now == request->before;
    if (after && (request->before.size != 2 || !is_grown || after->last != request->now)) {
      // Only a tree of five leaves whose root is nothing but zeros is also known.
      if (request->before != heads.last) std::abort();
    }
  }
  if (const auto greeting = signer_protocol::parse_greeting(bytes)) {
    if (!is_same(signer_protocol::encode(*greeting))) std::abort();
  }
  if (const auto signature = signer_protocol::parse_signature(bytes)) {
    if (!is_same(signer_protocol::encode(*signature))) std::abort();
  }
  return 0;
}
