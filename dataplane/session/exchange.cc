#include "dataplane/session/exchange.h"

namespace sluice::dataplane {

std::unique_ptr<Exchange> ExchangePool::take() {
  if (free_.empty()) return std::make_unique<Exchange>();
  auto exchange = std::move(free_.back());
  free_.pop_back();
  return exchange;
}

void ExchangePool::give_back(std::unique_ptr<Exchange> exchange) noexcept {
  free_.push_back(std::move(exchange));
}

}  // namespace sluice::dataplane
