#include "dataplane/denials.h"

namespace sluice::dataplane {

Denials::Pair& Denials::pair_of(Names names) {
  if (const auto known = by_names_.find(names); known != by_names_.end()) return *known->second;
  const Names others{"", other};
  if (by_names_.size() >= pairs_max && names != others) return pair_of(others);
  Pair& pair = pairs_.emplace_back();
  pair.target = names.first;
  pair.rule = names.second;
  pair.before = last_.load(std::memory_order_relaxed);
  by_names_.emplace(Names(pair.target, pair.rule), &pair);
  last_.store(&pair, std::memory_order_release);
  return pair;
}

void Denials::add(std::string_view target, std::string_view rule) {
  pair_of({target, rule}).count.add();
}

void Denials::add_to(Counts& sum) const {
  for (const Pair* pair = last_.load(std::memory_order_acquire); pair != nullptr;
       pair = pair->before) {
    sum[{pair->target, pair->rule}] += pair->count.read();
  }
}

}  // namespace sluice::dataplane
