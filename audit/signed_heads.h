// What a signer remembers, and the one rule of what it signs: a tree that continues the
// one that it signed last. Pure; a signer in the gateway's process and one in a process of
// its own obey the same.
//
// A signature may be lost with the batch that it was for, when the disk fails or the
// gateway is killed before that batch is written. So there are two heads: from the last
// one, and only until that was continued, the log may go back to the one before.
#pragma once

#include <optional>
#include <vector>

#include "audit/consistency.h"

namespace sluice::audit {

inline constexpr std::size_t proof_hashes_max = 64;

/// What is to be signed, and why that may be.
struct Extension {
  TreeHead before;
  TreeHead now;
  std::vector<Hash> proof;  ///< That `now` continues `before`.
};

struct SignedHeads {
  TreeHead kept = TreeHead::of(Tree{});  ///< Was continued, so the log has it.
  TreeHead last = TreeHead::of(Tree{});  ///< Signed last.

  bool operator==(const SignedHeads&) const = default;

  /// After this was signed.
  /// nothing   it must not be: it continues neither of the two.
  [[nodiscard]] std::optional<SignedHeads> after(const Extension& next) const noexcept;
};

}  // namespace sluice::audit
