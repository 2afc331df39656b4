#include "audit/witness_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sluice::audit {
namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(line.size(), end + 1));
  }
  return words;
}

}  // namespace

bool WitnessPolicy::is_known(std::string_view name) const noexcept {
  return std::ranges::count(witnesses_, name, &Witness::name) +
             std::ranges::count(groups_, name, &Group::name) !=
         0;
}

Result<WitnessPolicy> WitnessPolicy::parse(std::string_view text) {
  WitnessPolicy policy;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto words = words_of(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
    if (words.empty() || words[0].starts_with('#')) continue;
    if (auto done = policy.add(words); !done) {
      return fail(fmt::format("line {}: {}", number, done.error().message));
    }
  }
  if (policy.quorum_.empty()) return fail("a witness policy needs a quorum line");
  return policy;
}

Result<void> WitnessPolicy::add(const std::vector<std::string>& words) {
  const std::string& kind = words[0];
  if (kind == "log" && (words.size() == 2 || words.size() == 3)) {
    const auto key = Verifier::parse(words[1]);
    return key ? Result<void>() : tl::unexpected(key.error());
  }
  if (kind == "group" && words.size() >= 4) return add_group(words);
  if (kind == "quorum" && words.size() == 2 && quorum_.empty()) {
    if (words[1] != "none" && !is_known(words[1])) {
      return fail(fmt::format("there is no witness and no group '{}'", words[1]));
    }
    quorum_ = words[1];
    return {};
  }
  if (kind != "witness" || words.size() != 4) {
    return fail(
        "expected log KEY, witness NAME KEY URL, group NAME THRESHOLD MEMBER… or "
        "quorum NAME");
  }
  if (words[1] == "none" || is_known(words[1])) {
    return fail(fmt::format("the name '{}' is taken", words[1]));
  }
  if (witnesses_.size() == witnesses_max) {
    return fail(fmt::format("more than {} witnesses", witnesses_max));
  }
  auto key = WitnessVerifier::parse(words[2]);
  if (!key) return tl::unexpected(key.error());
  witnesses_.push_back({words[1], std::move(*key), words[3]});
  return {};
}

Result<void> WitnessPolicy::add_group(const std::vector<std::string>& words) {
  Group group{words[1], 0, {words.begin() + 3, words.end()}};
  if (group.name == "none" || is_known(group.name)) {
    return fail(fmt::format("the name '{}' is taken", group.name));
  }
  for (const std::string& member : group.members) {
    if (!is_known(member)) return fail(fmt::format("no witness and no group '{}'", member));
    if (std::ranges::count(group.members, member) != 1) {
      return fail(fmt::format("'{}' is there twice", member));
    }
  }
  const std::string& threshold = words[2];
  if (threshold == "any") {
    group.threshold = 1;
  } else if (threshold == "all") {
    group.threshold = group.members.size();
  } else {
    const char* const end = threshold.data() + threshold.size();
    const auto [stop, bad] = std::from_chars(threshold.data(), end, group.threshold);
    if (bad != std::errc{} || stop != end) group.threshold = 0;
  }
  if (group.threshold == 0 || group.threshold > group.members.size()) {
    return fail(fmt::format("'{}' is not any, all or 1 to {}", threshold, group.members.size()));
  }
  groups_.push_back(std::move(group));
  return {};
}

bool WitnessPolicy::is_enough(const std::set<std::string>& seen_by) const {
  std::set<std::string> satisfied = seen_by;
  for (const Group& group : groups_) {
    const auto count = std::ranges::count_if(
        group.members, [&](const std::string& member) { return satisfied.contains(member); });
    if (static_cast<std::size_t>(count) >= group.threshold) satisfied.insert(group.name);
  }
  return is_optional() || satisfied.contains(quorum_);
}

}  // namespace sluice::audit
