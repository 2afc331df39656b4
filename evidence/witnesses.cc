#include "evidence/witnesses.h"

#include <optional>

namespace sluice::evidence {
namespace {

std::optional<SeenBy> check_line(const audit::WitnessPolicy& policy,
                                 const audit::CosignedCheckpoint& cosigned,
                                 const std::string& line) {
  for (const auto& witness : policy.witnesses()) {
    const auto seconds_seen = witness.key.check(cosigned.log.signed_text, line);
    if (!seconds_seen) continue;
    return SeenBy{witness.key.name(),
                  {seconds(static_cast<std::int64_t>(*seconds_seen)).ns},
                  witness.key.line()};
  }
  return std::nullopt;
}

}  // namespace

std::string cosigned_by(const audit::WitnessPolicy& policy,
                        const audit::CosignedCheckpoint& cosigned) {
  std::string lines;
  for (const std::string& line : cosigned.lines) {
    if (check_line(policy, cosigned, line)) lines += line;
  }
  return lines.empty() ? lines : cosigned.note + lines;
}

Result<std::vector<SeenBy>> check_cosigned(const audit::WitnessPolicy& policy,
                                           const audit::CosignedCheckpoint& cosigned) {
  std::vector<SeenBy> out;
  for (const std::string& line : cosigned.lines) {
    auto seen = check_line(policy, cosigned, line);
    if (!seen) return fail("a line is of no witness of the policy, or was changed");
    out.push_back(std::move(*seen));
  }
  if (out.empty()) return fail("no witness signed it");
  return out;
}

}  // namespace sluice::evidence
