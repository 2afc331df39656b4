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
    const Extension& next = request->next;
    if (!is_same(signer_protocol::encode(request->sealed, next))) std::abort();
    const SignedHeads heads{{2, next.before.root}, {5, {}}};
    const auto after = heads.after(next);
    const bool is_grown = next.now.size > 2 || next.now == next.before;
    if (after && (next.before.size != 2 || !is_grown || after->last != next.now)) {
      // Only a tree of five leaves whose root is nothing but zeros is also known.
      if (next.before != heads.last) std::abort();
    }
  }
  if (const auto manifest = signer_protocol::parse_package(bytes)) {
    if (!is_same(signer_protocol::encode_package(*manifest))) std::abort();
  }
  if (const auto greeting = signer_protocol::parse_greeting(bytes)) {
    if (!is_same(signer_protocol::encode(*greeting))) std::abort();
  }
  if (const auto answer = signer_protocol::parse_answer(bytes)) {
    if (!is_same(signer_protocol::encode(*answer))) std::abort();
  }
  return 0;
}
