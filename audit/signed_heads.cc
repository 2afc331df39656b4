#include "audit/signed_heads.h"

namespace sluice::audit {

std::optional<SignedHeads> SignedHeads::after(const Extension& next) const noexcept {
  const bool is_known = next.before == last || next.before == kept;
  if (!is_known || next.proof.size() > proof_hashes_max) return std::nullopt;
  if (!is_consistent(next.before, next.now, next.proof)) return std::nullopt;
  return SignedHeads{next.before, next.now};
}

}  // namespace sluice::audit
