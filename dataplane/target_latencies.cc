#include "dataplane/target_latencies.h"

namespace sluice::dataplane {

std::vector<std::shared_ptr<Histogram>> TargetLatencies::adopt(
    std::span<const std::string_view> targets) {
  decltype(by_target_) next;
  std::vector<std::shared_ptr<Histogram>> in_order;
  in_order.reserve(targets.size());
  const std::lock_guard lock(mutex_);
  for (const std::string_view target : targets) {
    const auto known = by_target_.find(target);
    in_order.push_back(known != by_target_.end() ? known->second : std::make_shared<Histogram>());
    next.emplace(target, in_order.back());
  }
  by_target_ = std::move(next);
  return in_order;
}

void TargetLatencies::add_to(Histogram& sum, std::string_view target) const {
  const std::lock_guard lock(mutex_);
  const auto known = by_target_.find(target);
  if (known != by_target_.end()) sum.add(*known->second);
}

}  // namespace sluice::dataplane
