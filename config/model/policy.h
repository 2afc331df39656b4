// Policy compiled for one listener: rules in, a ruling out. Pure.
//
// The strictest matching rule wins, whatever its place in the file:
// deny over hold over allow. No matching rule denies.
#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model/principal.h"
#include "config/model/settings.h"

namespace sluice::config {

/// Equal in width to the matcher's RuleSet; a mask's index is its place in Settings::masks.
inline constexpr std::size_t masks_max = 128;
using MaskSet = std::bitset<masks_max>;

/// A regular expression that some scanner must look for on the policy's behalf.
/// Indices into these lists are what judge() takes as hits.
struct PatternSource {
  std::string expression;   ///< Anchored where the rule's meaning is anchored.
  std::string rule;
  bool ignores_case = false;
};

/// What policy needs to know of one HTTP request.
struct HttpAction {
  std::string_view method;
  std::span<const std::uint32_t> path_hits;    ///< Ascending indices into path_patterns().
  std::span<const std::uint32_t> header_hits;  ///< Into header_patterns().
  std::span<const std::uint32_t> body_hits;    ///< Into body_patterns(); see body_seen.
  bool body_seen = false;
};

struct Ruling {
  /// needs_body: a rule that could still decide has a body pattern; ask again
  /// with body_seen.
  enum class Kind : std::uint8_t { allow, deny, hold, needs_body };
  Kind kind = Kind::deny;
  /// Name of the deciding rule; "default-deny" when none matched. Lives with the Policy.
  std::string_view rule;
  std::string_view reason;
};

/// What of a principal matters to one policy, worked out once per principal and
/// snapshot so that judging does not depend on the number of rules.
class PrincipalView {
 public:
  [[nodiscard]] const MaskSet& response_masks() const noexcept { return response_masks_; }
  [[nodiscard]] const MaskSet& request_masks() const noexcept { return request_masks_; }

 private:
  friend class Policy;
  std::vector<std::uint64_t> rules_;  ///< Bit per rule whose principals match.
  MaskSet response_masks_;
  MaskSet request_masks_;
};

class Policy {
 public:
  /// errors  a rule that names an unknown target, or cannot be enforced on this
  ///         listener (protocol, hold without approvals), with its place.
  static Result<Policy> compile(const Settings& settings, const Listener& listener);

  /// Patterns to scan: request paths, "name: value" header lines (name in lower
  /// case, one line a field, each ended by '\n'), and bodies.
  [[nodiscard]] std::span<const PatternSource> path_patterns() const noexcept { return path_patterns_; }
  [[nodiscard]] std::span<const PatternSource> header_patterns() const noexcept { return header_patterns_; }
  [[nodiscard]] std::span<const PatternSource> body_patterns() const noexcept { return body_patterns_; }

  [[nodiscard]] PrincipalView view_of(const Principal& principal) const;

  /// Allocates nothing.
  [[nodiscard]] Ruling judge(const PrincipalView& principal, const HttpAction& action) const noexcept;

 private:
  // The compiler's tables; see policy.cc.
  std::vector<PatternSource> path_patterns_;
  std::vector<PatternSource> header_patterns_;
  std::vector<PatternSource> body_patterns_;
};

}  // namespace sluice::config
