// Which witnesses a log's checkpoints are shown to, and how many of them must have seen
// one.
//
// source   https://c2sp.org/tlog-policy: lines "log KEY", "witness NAME KEY URL",
//          "group NAME THRESHOLD MEMBER…" and "quorum NAME"; '#' begins a comment line.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/cosignature.h"
#include "base/result.h"

namespace sluice::audit {

class WitnessPolicy {
 public:
  struct Witness {
    std::string name;  ///< In the policy.
    WitnessVerifier key;
    std::string url;  ///< Where it answers; without "/add-checkpoint".
  };

  static Result<WitnessPolicy> parse(std::string_view text);

  [[nodiscard]] const std::vector<Witness>& witnesses() const noexcept { return witnesses_; }
  /// "quorum none": what witnesses say is kept, and nothing hangs on it.
  [[nodiscard]] bool is_optional() const noexcept { return quorum_ == "none"; }
  /// Whether these witnesses, by their names here, are enough.
  [[nodiscard]] bool is_enough(const std::set<std::string>& seen_by) const;

 private:
  struct Group {
    std::string name;
    std::size_t threshold = 0;
    std::vector<std::string> members;  ///< Witnesses, and groups before this one.
  };
  Result<void> add(const std::vector<std::string>& words);
  Result<void> add_group(const std::vector<std::string>& words);
  [[nodiscard]] bool is_known(std::string_view name) const noexcept;

  std::vector<Witness> witnesses_;
  std::vector<Group> groups_;
  std::string quorum_;
};

}  // namespace sluice::audit
