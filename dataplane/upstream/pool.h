// One worker's view of one target: its addresses, their health, idle connections and
// who waits for one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "config/model/settings.h"
#include "dataplane/tls/tls_context.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

/// Pure bookkeeping: it opens and closes nothing itself.
class UpstreamPool {
 public:
  UpstreamPool(std::string target_name, const std::vector<Endpoint>& endpoints,
               std::vector<std::string> endpoint_texts,
               config::ProxyHeader proxy_header = config::ProxyHeader::off);

  struct Address {
    Endpoint endpoint;
    std::string text;
    std::vector<ConnId> idle;       ///< Last used, first taken.
    std::uint32_t outstanding = 0;  ///< Connections in use or being made.
    std::uint32_t failures = 0;     ///< In a row.
    std::uint32_t successes = 0;    ///< In a row, of active checks while unhealthy.
    bool healthy = true;
    Instant ejected_until;
    Instant next_check;
  };

  /// The usable address with the least outstanding work, or nothing when every
  /// address is down or the target's connections are used up. An address that
  /// was ejected is tried again when its time is over.
  [[nodiscard]] std::optional<std::size_t> choose(const config::Target& target,
                                                  Instant now) noexcept;

  /// An operation begins or ends on an address.
  void begin(std::size_t address) noexcept { ++addresses_[address].outstanding; }
  void end(std::size_t address) noexcept { --addresses_[address].outstanding; }

  /// Passive health: what operations saw.
  void succeeded(std::size_t address) noexcept;
  void failed(std::size_t address, const config::HealthCheck& health, Instant now) noexcept;
  /// Active health: what a probe saw.
  void probed(std::size_t address, bool ok, const config::HealthCheck& health,
              Instant now) noexcept;

  [[nodiscard]] bool is_full(const config::Target& target) const noexcept {
    return in_use() >= target.pool_connections_max;
  }
  [[nodiscard]] std::size_t in_use() const noexcept;
  [[nodiscard]] std::size_t idle() const noexcept;

  /// First come, first served.
  struct Waiting {
    ConnId client;
    Instant deadline;
  };
  [[nodiscard]] std::deque<Waiting>& waiting() noexcept { return waiting_; }

  [[nodiscard]] Address& address(std::size_t index) noexcept { return addresses_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return addresses_.size(); }
  [[nodiscard]] const std::string& target_name() const noexcept { return target_name_; }
  /// A connection that was made in clear, or to somebody else, serves no other target.
  [[nodiscard]] bool serves(const std::string& name, const std::vector<std::string>& texts,
                            const TlsClientPlan* tls,
                            config::ProxyHeader proxy_header) const noexcept;
  [[nodiscard]] const std::shared_ptr<const TlsContext>& tls() const noexcept { return tls_; }
  /// How connections are made from now on; null: in clear.
  void set_tls(std::shared_ptr<const TlsContext> tls) noexcept { tls_ = std::move(tls); }
  [[nodiscard]] config::ProxyHeader proxy_header() const noexcept { return proxy_header_; }
  /// The name that an address's certificate must be for.
  [[nodiscard]] const std::string& tls_name(std::size_t address) const noexcept {
    return tls_->client()->names[address];
  }

 private:
  std::string target_name_;
  std::shared_ptr<const TlsContext> tls_;
  config::ProxyHeader proxy_header_;
  std::vector<Address> addresses_;
  std::deque<Waiting> waiting_;
  std::size_t next_ = 0;  ///< Where ties begin, so that equals take turns.
};

}  // namespace sluice::dataplane
