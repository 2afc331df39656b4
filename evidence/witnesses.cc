#include "evidence/witnesses.h"

#include <optional>
#include <set>
#include <string>

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

bool is_enough(const audit::WitnessPolicy& policy, const std::set<std::string>& keys) {
  std::set<std::string> names;
  for (const auto& witness : policy.witnesses()) {
    if (keys.contains(witness.key.line())) names.insert(witness.name);
  }
  return policy.is_enough(names);
}

}  // namespace

std::string cosigned_by(const audit::WitnessPolicy& policy,
                        const audit::CosignedCheckpoint& cosigned) {
  std::string lines;
  std::set<std::string> keys;
  for (const std::string& line : cosigned.lines) {
    const auto seen = check_line(policy, cosigned, line);
    if (!seen) continue;
    lines += line;
    keys.insert(seen->key);
  }
  return lines.empty() || !is_enough(policy, keys) ? std::string() : cosigned.note + lines;
}

Result<std::vector<SeenBy>> check_cosigned(const audit::WitnessPolicy& policy,
                                           const audit::CosignedCheckpoint& cosigned) {
  std::vector<SeenBy> out;
  std::set<std::string> keys;
  for (const std::string& line : cosigned.lines) {
    auto seen = check_line(policy, cosigned, line);
    if (!seen) return fail("a line is of no witness of the policy, or was changed");
    keys.insert(seen->key);
    out.push_back(std::move(*seen));
  }
  if (out.empty()) return fail("no witness signed it");
  if (!is_enough(policy, keys)) return fail("not as many witnesses signed it as the policy wants");
  return out;
}

}  // namespace sluice::evidence
