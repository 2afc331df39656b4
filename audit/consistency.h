// That a larger tree continues a smaller one: proofs, made from the log and checked
// without it.
//
// source   RFC 6962 §2.1.2 for what a proof is, RFC 9162 §2.1.4.2 for checking it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "audit/merkle.h"
#include "base/result.h"

namespace sluice::audit {

struct TreeHead {
  std::uint64_t size = 0;
  Hash root{};
};

[[nodiscard]] bool is_consistent(const TreeHead& before, const TreeHead& now,
                                 std::span<const Hash> proof) noexcept;

struct ConsistencyProof {
  Hash root_before{};
  std::vector<Hash> hashes;
};
/// Reads the log from the segment that holds record `before` to record `now`.
/// errors   the log cannot be read, or has fewer records.
Result<ConsistencyProof> prove_consistency(const std::filesystem::path& directory,
                                           std::uint64_t before, std::uint64_t now);

}  // namespace sluice::audit
