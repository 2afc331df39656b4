#include "config/model/rule_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/assert.h"

namespace sluice::config {

std::uint64_t RuleIndex::hash(const Key& key) noexcept {
  std::uint64_t h = (std::uint64_t{key.path} << 32 | key.header) * 0x9E3779B97F4A7C15U;
  h ^= h >> 29;
  h = (h ^ key.body) * 0xBF58476D1CE4E5B9U;
  return h ^ (h >> 32);
}

RuleIndex::RuleIndex(std::span<const Clause> clauses) {
  // The rarest header of a clause is its key, so that a header which every rule
  // names does not gather them all in one group.
  std::unordered_map<std::uint32_t, std::uint32_t> header_uses;
  for (const Clause& clause : clauses) {
    for (const std::uint32_t header : clause.headers) ++header_uses[header];
  }

  struct Members {
    std::vector<const Clause*> decides;
    std::vector<const Clause*> pending;
  };
  const auto less = [](const Key& a, const Key& b) {
    return std::tie(a.path, a.header, a.body) < std::tie(b.path, b.header, b.body);
  };
  std::map<Key, Members, decltype(less)> members(less);
  for (const Clause& clause : clauses) {
    Key key{clause.path, no_pattern, clause.body};
    if (!clause.headers.empty()) {
      key.header = *std::min_element(
          clause.headers.begin(), clause.headers.end(),
          [&](std::uint32_t a, std::uint32_t b) { return header_uses[a] < header_uses[b]; });
      has_headers_ = true;
    }
    members[key].decides.push_back(&clause);
    if (clause.body != no_pattern) {
      has_bodies_ = true;
      key.body = no_pattern;
      members[key].pending.push_back(&clause);
    }
  }

  if (members.empty()) return;
  groups_.resize(std::bit_ceil(members.size() + members.size() / 2 + 1));
  for (auto& [key, group] : members) {
    const auto by_rule = [](const Clause* a, const Clause* b) { return a->rule < b->rule; };
    std::stable_sort(group.decides.begin(), group.decides.end(), by_rule);
    std::stable_sort(group.pending.begin(), group.pending.end(), by_rule);
    add_group(key, group.decides, group.pending);
  }
}

void RuleIndex::add_group(const Key& key, std::span<const Clause* const> decides,
                          std::span<const Clause* const> pending) {
  std::size_t slot = hash(key) & (groups_.size() - 1);
  while (groups_[slot].is_used) slot = (slot + 1) & (groups_.size() - 1);
  Group& group = groups_[slot];
  group.is_used = true;
  group.key = key;

  // Strictest first: a method that an unconditional entry has taken needs no other.
  group.others_from = static_cast<std::uint32_t>(entries_.size());
  MethodSet taken = 0;
  for (const Clause* clause : decides) {
    const MethodSet methods = clause->methods & ~taken;
    if (methods == 0) continue;
    const Entry entry = entry_of(*clause, key, methods);
    if (group.first.methods == 0) {
      group.first = entry;
    } else {
      entries_.push_back(entry);
    }
    if (entry.headers_count == 0) taken |= methods;
  }
  // What waits for the body matters only by its kind.
  group.pending_from = static_cast<std::uint32_t>(entries_.size());
  std::array<MethodSet, 8> taken_by_kind{};
  for (const Clause* clause : pending) {
    MethodSet& taken_here = taken_by_kind[clause->kind];
    const MethodSet methods = clause->methods & ~taken_here;
    if (methods == 0) continue;
    entries_.push_back(entry_of(*clause, key, methods));
    if (entries_.back().headers_count == 0) taken_here |= methods;
  }
  group.end = static_cast<std::uint32_t>(entries_.size());
}

RuleIndex::Entry RuleIndex::entry_of(const Clause& clause, const Key& key, MethodSet methods) {
  ASSERT(clause.headers.size() <= UINT8_MAX);
  Entry entry{.methods = methods,
              .rule = clause.rule,
              .kind = clause.kind,
              .headers_count = 0,
              .headers_from = static_cast<std::uint32_t>(headers_.size())};
  for (const std::uint32_t header : clause.headers) {
    if (header == key.header) continue;
    headers_.push_back(header);
    ++entry.headers_count;
  }
  return entry;
}

const RuleIndex::Group* RuleIndex::find(const Key& key) const noexcept {
  for (std::size_t slot = hash(key) & (groups_.size() - 1);;
       slot = (slot + 1) & (groups_.size() - 1)) {
    const Group& group = groups_[slot];
    if (!group.is_used) return nullptr;
    if (group.key == key) return &group;
  }
}

bool RuleIndex::applies(const Entry& entry, const RuleQuery& query) const noexcept {
  if ((entry.methods & query.method) == 0) return false;
  const std::span<const std::uint32_t> needed(headers_.data() + entry.headers_from,
                                              entry.headers_count);
  return std::all_of(needed.begin(), needed.end(), [&](std::uint32_t header) {
    return std::binary_search(query.header_hits.begin(), query.header_hits.end(), header);
  });
}

void RuleIndex::consult(const Key& key, const RuleQuery& query, RuleAnswer& answer) const noexcept {
  const Group* group = find(key);
  if (group == nullptr) return;
  if (applies(group->first, query)) {
    answer.strictest = std::min(answer.strictest, group->first.rule);
  } else {
    for (std::uint32_t at = group->others_from; at < group->pending_from; ++at) {
      const Entry& entry = entries_[at];
      if (entry.rule >= answer.strictest) break;  // ascending: the rest is no stricter
      if (!applies(entry, query)) continue;
      answer.strictest = entry.rule;
      break;
    }
  }
  if (query.body_seen) return;
  for (std::uint32_t at = group->pending_from; at < group->end; ++at) {
    if (applies(entries_[at], query)) {
      answer.pending_kinds =
          static_cast<std::uint8_t>(answer.pending_kinds | 1U << entries_[at].kind);
    }
  }
}

void RuleIndex::look_up_path(std::uint32_t path, const RuleQuery& query,
                             RuleAnswer& answer) const noexcept {
  const auto with_bodies = [&](std::uint32_t header) {
    consult({path, header, no_pattern}, query, answer);
    if (!has_bodies_ || !query.body_seen) return;
    for (const std::uint32_t body : query.body_hits) consult({path, header, body}, query, answer);
  };
  with_bodies(no_pattern);
  if (!has_headers_) return;
  for (const std::uint32_t header : query.header_hits) with_bodies(header);
}

void RuleIndex::look_up(const RuleQuery& query, RuleAnswer& answer) const noexcept {
  if (groups_.empty()) return;
  look_up_path(no_pattern, query, answer);
  for (const std::uint32_t path : query.path_hits) look_up_path(path, query, answer);
}

}  // namespace sluice::config
