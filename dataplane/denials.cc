#include "dataplane/denials.h"

namespace sluice::dataplane {

void Denials::add(std::string_view target, std::string_view rule) {
  const std::lock_guard lock(mutex_);
  auto known = counts_.find(View(target, rule));
  if (known == counts_.end() && counts_.size() >= pairs_max) {
    target = {};
    rule = other;
    known = counts_.find(View(target, rule));
  }
  if (known == counts_.end()) {
    known = counts_.emplace(std::pair(std::string(target), std::string(rule)), 0).first;
  }
  ++known->second;
}

void Denials::add_to(Counts& sum) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [pair, count] : counts_) sum[pair] += count;
}

}  // namespace sluice::dataplane
