#include "cli/policy_versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "audit/policy_store.h"
#include "audit/record_page.h"
#include "base/text_codec.h"
#include "cli/dry_run.h"
#include "cli/policy_changes.h"
#include "config/load/load.h"
#include "dataplane/session/rehearsal.h"

namespace sluice::cli {
namespace {

using control::api::Outcome;
using control::api::refuse;
using control::api::RulesChoice;
using Json = nlohmann::ordered_json;

constexpr std::string_view current_version = "current";
constexpr std::size_t versions_max = 1'000;
constexpr std::size_t problems_told_max = 20;
constexpr std::size_t records_per_page = 10'000;
constexpr std::array<const char*, 2> rule_sections{"policies", "masks"};

std::string words_of(const std::vector<config::Problem>& problems) {
  std::string out;
  for (std::size_t i = 0; i < std::min(problems.size(), problems_told_max); ++i) {
    if (i != 0) out += '\n';
    out += problems[i].text();
  }
  if (problems.size() <= problems_told_max) return out;
  return out + fmt::format("\nand {} more", problems.size() - problems_told_max);
}

/// The rules of a version, and the variables that they take, with their values.
struct VersionRules {
  std::string yaml;
  std::map<std::string, std::string> variables;
};
VersionRules rules_of(const std::string& text) {
  const Json whole = Json::parse(text);
  Json rules = Json::object();
  for (const char* section : rule_sections) {
    const auto found = whole.at("configuration").find(section);
    if (found != whole.at("configuration").end()) rules[section] = *found;
  }
  return {rules.dump(), whole.value("environment", std::map<std::string, std::string>())};
}

/// A version that nobody ever had: the rules of one, and all else of the other.
std::string joined(const std::string& rules, const std::string& others) {
  const Json from = Json::parse(rules).at("configuration");
  Json whole = Json::parse(others);
  for (const char* section : rule_sections) {
    whole["configuration"].erase(section);
    if (from.contains(section)) whole["configuration"][section] = from.at(section);
  }
  return whole.dump();
}

/// A version is what this gateway kept, and so is a record; but files can be changed by whoever may
/// write them, and what is read here must not end the gateway.
Outcome<std::string> guarded(const std::function<Outcome<std::string>()>& answer) {
  try {
    return answer();
  } catch (const Json::exception&) {
    return refuse(503, "what the log has is not as a gateway keeps it");
  }
}

}  // namespace

PolicyVersions::PolicyVersions(std::shared_ptr<const dataplane::Snapshot> current)
    : current_(std::move(current)) {}

Outcome<control::api::VersionsPage> PolicyVersions::list() const {
  const auto kept = audit::list_policies(current_->settings.audit.directory);
  if (!kept) return refuse(503, kept.error().message);
  control::api::VersionsPage page{.current = to_hex(current_->policy_digest)};
  for (const audit::KeptPolicy& one : *kept) {
    if (page.versions.size() == versions_max) break;
    page.versions.push_back({.digest = to_hex(one.digest), .since = one.since});
  }
  return page;
}

Outcome<std::string> PolicyVersions::show(std::string_view version) const {
  if (version == current_version) return current_->settings.text;
  const auto digest = audit::parse_policy_digest(version);
  if (!digest) return refuse(404, "a version is 'current', or a digest of 64 hex digits");
  const std::filesystem::path& directory = current_->settings.audit.directory;
  std::error_code ignored;
  const auto path = directory / audit::policies_folder / audit::policy_name(*digest);
  if (!std::filesystem::exists(path, ignored)) {
    return refuse(404, "the log has no such version");
  }
  auto text = audit::read_policy(directory, *digest);
  if (!text) return refuse(503, text.error().message);
  return std::move(*text);
}

Outcome<config::Settings> PolicyVersions::settings_of(const RulesChoice& choice) const {
  VersionRules rules{.yaml = choice.rules, .variables = {}};
  if (choice.rules.empty()) {
    const auto text = show(choice.version);
    if (!text) return tl::unexpected(text.error());
    rules = rules_of(*text);
  }
  if (choice.rules.empty() && rules.yaml == "{}") {  // It had none, so that nothing was allowed.
    config::Settings none = current_->settings;
    none.policies.clear();
    none.masks.clear();
    return none;
  }
  auto loaded = config::load_rules(rules.yaml, rules.variables, current_->settings);
  if (!loaded.problems.empty()) return refuse(422, words_of(loaded.problems));
  return std::move(loaded.settings);
}

Outcome<std::string> PolicyVersions::diff(const control::api::PolicyDiffQuestion& question) const {
  return guarded([&] { return compare(question); });
}

Outcome<std::string> PolicyVersions::dry_run(const control::api::DryRunQuestion& question,
                                             const std::function<bool()>& goes_on) const {
  return guarded([&] { return rehearse(question, goes_on); });
}

Outcome<std::string> PolicyVersions::compare(
    const control::api::PolicyDiffQuestion& question) const {
  const auto before = show(question.before);
  if (!before) return tl::unexpected(before.error());
  if (question.after.rules.empty()) {
    const auto after = show(question.after.version);
    if (!after) return tl::unexpected(after.error());
    return policy_changes(*before, *after);
  }
  const auto settings = settings_of(question.after);
  if (!settings) return tl::unexpected(settings.error());
  return policy_changes(*before, joined(settings->text, current_->settings.text));
}

Outcome<std::string> PolicyVersions::rehearse(const control::api::DryRunQuestion& question,
                                              const std::function<bool()>& goes_on) const {
  const auto settings = settings_of(question.rules);
  if (!settings) return tl::unexpected(settings.error());
  auto snapshot =
      dataplane::compile(*settings, {current_->keys, current_->revoked}, current_->generation);
  if (!snapshot) return refuse(422, snapshot.error().message);
  const auto rehearsal = dataplane::Rehearsal::under(std::move(*snapshot));
  if (!rehearsal) return refuse(422, rehearsal.error().message);
  const auto page = audit::search_page(current_->settings.audit.directory, question.query,
                                       question.mark, records_per_page, goes_on);
  if (!page) return refuse(503, page.error().message);
  DryRun run(**rehearsal, question.search_path);
  for (const std::string& record : page->records) run.look_at(record);
  Json report = Json::parse(run.report());
  if (page->next) report["next"] = page->next->text();
  report["has_more"] = page->has_more;
  return report.dump();
}

}  // namespace sluice::cli
