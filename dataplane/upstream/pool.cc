#include "dataplane/upstream/pool.h"

#include <algorithm>

namespace sluice::dataplane {

UpstreamPool::UpstreamPool(std::string target_name, const std::vector<Endpoint>& endpoints,
                           std::vector<std::string> endpoint_texts,
                           config::ProxyHeader proxy_header)
    : target_name_(std::move(target_name)),
      proxy_header_(proxy_header),
      addresses_(endpoints.size()) {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    addresses_[i].endpoint = endpoints[i];
    addresses_[i].text = std::move(endpoint_texts[i]);
  }
}

std::optional<std::size_t> UpstreamPool::choose(const config::Target& target,
                                                Instant now) noexcept {
  if (is_full(target)) return std::nullopt;
  std::optional<std::size_t> best;
  for (std::size_t k = 0; k < addresses_.size(); ++k) {
    const std::size_t i = (next_ + k) % addresses_.size();
    const Address& candidate = addresses_[i];
    const bool usable =
        candidate.healthy || (target.health.path.empty() && now >= candidate.ejected_until);
    if (!usable) continue;
    if (!best || candidate.outstanding < addresses_[*best].outstanding) best = i;
  }
  if (best) next_ = (*best + 1) % addresses_.size();
  return best;
}

std::size_t UpstreamPool::in_use() const noexcept {
  std::size_t count = 0;
  for (const Address& address : addresses_) count += address.outstanding;
  return count;
}

std::size_t UpstreamPool::idle() const noexcept {
  std::size_t count = 0;
  for (const Address& address : addresses_) count += address.idle.size();
  return count;
}

void UpstreamPool::succeeded(std::size_t address) noexcept {
  Address& it = addresses_[address];
  it.failures = 0;
  it.healthy = true;
}

void UpstreamPool::failed(std::size_t address, const config::HealthCheck& health,
                          Instant now) noexcept {
  Address& it = addresses_[address];
  it.successes = 0;
  if (++it.failures < health.unhealthy_after) return;
  it.healthy = false;
  it.ejected_until = now + health.ejected_for;
}

void UpstreamPool::probed(std::size_t address, bool ok, const config::HealthCheck& health,
                          Instant now) noexcept {
  if (!ok) return failed(address, health, now);
  Address& it = addresses_[address];
  it.failures = 0;
  if (it.healthy || ++it.successes >= health.healthy_after) {
    it.healthy = true;
    it.successes = 0;
  }
}

bool UpstreamPool::serves(const std::string& name, const std::vector<std::string>& texts,
                          const TlsClientPlan* tls,
                          config::ProxyHeader proxy_header) const noexcept {
  const bool is_alike = (tls == nullptr) == (tls_ == nullptr) &&
                        (tls == nullptr || tls->digest == tls_->client()->digest);
  return is_alike && name == target_name_ && proxy_header == proxy_header_ &&
         std::ranges::equal(addresses_, texts, {}, &Address::text);
}

}  // namespace sluice::dataplane
