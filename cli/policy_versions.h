// Versions of the configuration that the log has, and rules that somebody sends: compared, and
// tried on what was recorded. Nothing but the log is read for who asks; see docs/decisions/0049.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "config/model/settings.h"
#include "control/api/policy.h"
#include "control/api/problem.h"
#include "dataplane/session/snapshot.h"

namespace sluice::cli {

class PolicyVersions {
 public:
  /// current  what is in force; whatever is not a rule is taken from it.
  explicit PolicyVersions(std::shared_ptr<const dataplane::Snapshot> current);

  [[nodiscard]] control::api::Outcome<control::api::VersionsPage> list() const;
  /// version  a digest in hex, or "current".
  /// returns  a JSON object, as the log has it.
  [[nodiscard]] control::api::Outcome<std::string> show(std::string_view version) const;
  /// returns  a JSON object: see policy_changes().
  [[nodiscard]] control::api::Outcome<std::string> diff(
      const control::api::PolicyDiffQuestion& question) const;
  /// goes_on  see audit::search_page().
  /// returns  a JSON object: see DryRun::report(); and where the log was read to.
  [[nodiscard]] control::api::Outcome<std::string> dry_run(
      const control::api::DryRunQuestion& question, const std::function<bool()>& goes_on) const;

 private:
  [[nodiscard]] control::api::Outcome<config::Settings> settings_of(
      const control::api::RulesChoice& choice) const;
  // They may throw Json::exception.
  [[nodiscard]] control::api::Outcome<std::string> compare(
      const control::api::PolicyDiffQuestion& question) const;
  [[nodiscard]] control::api::Outcome<std::string> rehearse(
      const control::api::DryRunQuestion& question, const std::function<bool()>& goes_on) const;

  std::shared_ptr<const dataplane::Snapshot> current_;
};

}  // namespace sluice::cli
