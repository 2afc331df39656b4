// Mints the gateway's own tokens, and takes them back. Called from the admin interface's threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "identity/api_keys.h"
#include "identity/gateway_tokens.h"

namespace sluice::control {

/// What a token is minted by: the configuration in force, borrowed.
struct MintBasis {
  const config::Settings& settings;
  const identity::GatewayTokenKeys* keys = nullptr;  ///< Null: there are no gateway tokens.
  const identity::ApiKeys& api_keys;
  const identity::TokenKeys& issuer_keys;
};

struct MintRequest {
  // For whom, in one of three ways:
  std::optional<config::Principal> proved = {};  ///< Who was proved already.
  std::string credential = {};           ///< An API key, "login:secret", or a provider's token.
  std::string subject = {};              ///< Whom the operator names,
  std::vector<std::string> groups = {};  ///< who is in these.

  std::string target = {};  ///< That the token is to be good for; empty: any.
  std::optional<Duration> lifetime = {};
  std::string by = {};       ///< Who asks, for the record.
  bool is_operator = false;  ///< Who asks may name a subject.
};

struct MintedToken {
  std::string token;
  std::string id;
  std::string subject;
  std::vector<std::string> groups;
  std::string target;
  WallTime expires;
};

struct MintRefusal {
  enum class Kind : std::uint8_t {
    invalid,      ///< What was asked for makes no sense here.
    denied,       ///< Who asks did not prove who it is, or may not.
    unavailable,  ///< It may work later.
  };
  Kind kind = Kind::invalid;
  std::string message = {};  ///< For who asks: nothing that helps a guesser.
  std::string reason = {};   ///< For the record, where that is more.
  std::string issuer = {};   ///< Newer keys of this issuer may help.
};

struct MintCounts {
  std::uint64_t minted = 0;
  std::uint64_t refused = 0;
  std::uint64_t revoked = 0;
};

class TokenMint {
 public:
  struct World {
    std::function<WallTime()> now;
    /// So many bytes that nobody can guess; empty: there are none.
    std::function<std::vector<std::uint8_t>(std::size_t)> random;
    /// Into the audit log; when it returns that is durable.
    std::function<Result<void>(const audit::Record&)> record;
  };
  explicit TokenMint(World world) : world_(std::move(world)) {}

  /// The record is durable before the token is given; a refusal is recorded, too.
  Result<MintedToken, MintRefusal> mint(const MintRequest& request, const MintBasis& basis);
  /// Recorded durably, then in the list; whoever calls has workers read that.
  Result<void, MintRefusal> revoke(const std::string& id, std::string_view by,
                                   const MintBasis& basis);

  [[nodiscard]] MintCounts counts() const noexcept;

 private:
  using Proved = Result<config::Principal, MintRefusal>;
  [[nodiscard]] Result<MintedToken, MintRefusal> try_mint(const MintRequest& request,
                                                          const MintBasis& basis);
  [[nodiscard]] Proved principal_of(const MintRequest& request, const MintBasis& basis) const;

  World world_;
  std::mutex revoking_;  ///< One at a time: the list is read, changed and written.
  std::atomic<std::uint64_t> minted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> revoked_{0};
};

}  // namespace sluice::control
