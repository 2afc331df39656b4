// Tokens that proved who calls, remembered by one worker: who shows the same one with each
// request pays for its signature once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "base/instant.h"
#include "config/model/policy.h"
#include "config/model/principal.h"
#include "dataplane/session/snapshot.h"
#include "identity/introspection.h"
#include "identity/oidc.h"

namespace sluice::dataplane {

/// Whether a credential is good for what a listener leads to.
[[nodiscard]] bool is_for_target(const config::Principal& who, const Snapshot& snapshot,
                                 std::size_t listener) noexcept;

/// Whom a token proved, and what that rests on.
struct ProvedToken {
  config::Principal principal;
  identity::TokenGrounds grounds;
};

/// A token that held, and what its principal may do.
class TokenProof {
 public:
  TokenProof(ProvedToken proved, std::size_t listeners)
      : proved_(std::make_shared<const ProvedToken>(std::move(proved))), views_(listeners) {}

  [[nodiscard]] const config::Principal& principal() const noexcept { return proved_->principal; }
  /// For sessions, which may outlive what is remembered of it.
  [[nodiscard]] const std::shared_ptr<const ProvedToken>& proved() const noexcept {
    return proved_;
  }
  /// On one listener of the snapshot that it was proved under; worked out on first use.
  [[nodiscard]] const std::shared_ptr<const config::PrincipalView>& view(const Snapshot& snapshot,
                                                                         std::size_t listener);

 private:
  std::shared_ptr<const ProvedToken> proved_;
  std::vector<std::shared_ptr<const config::PrincipalView>> views_;
};

/// A token that nobody but its issuer can read: the issuer is to be asked about it.
struct TokenQuestion {
  std::string token;
  Fingerprint print{};              ///< Of the token, under the worker's key.
  std::uint64_t configuration = 0;  ///< Generation under which it was shown.
  config::OidcIssuer issuer;        ///< As that has it.
};

/// What became of the question.
struct TokenAnswer {
  Fingerprint print{};
  std::uint64_t configuration = 0;
  identity::IntrospectionVerdict verdict;
};

/// Holds fingerprints, never tokens. What it remembers is believed until the token expires, or what
/// its issuer said of it is too old, for one configuration and one set of keys.
class TokenProofs {
 public:
  static constexpr std::size_t tokens_max = 8192;
  /// Of which their issuer said that they are not good; and for how long it isn't asked again.
  static constexpr std::size_t refused_max = 4096;
  static constexpr Duration refused_for = seconds(5);

  struct Answer {
    identity::TokenFault fault = identity::TokenFault::none;
    TokenProof* proof = nullptr;  ///< Without a fault; until the next call.
    /// Newer keys of this issuer may change the verdict, and it is worth asking for them.
    const config::OidcIssuer* awaited = nullptr;
    std::uint64_t attempts = 0;  ///< To fetch its keys, so far: another number is an answer.
    /// With neither a fault nor a proof: this issuer must be asked first. Its answer does for the
    /// newest configuration alone: see is_under().
    const config::OidcIssuer* asked = nullptr;
  };

  /// print     of the token, under the worker's key.
  /// listener  that it was shown on: one for another target is refused.
  /// has       as of identity::verify_token().
  /// Allocates nothing for a token that it knows.
  [[nodiscard]] Answer prove(std::string_view token, const Fingerprint& print,
                             const Snapshot& snapshot, std::size_t listener,
                             const identity::Possession& has, const Now& now);

  /// What an issuer said of a token. Nothing is kept of an answer under another configuration than
  /// tokens are proved by now.
  void remember(const TokenAnswer& answer, Instant now);

  /// Whether tokens are remembered under this configuration by now. A request that waited may have
  /// an older one: it is proved anew, and nothing of that is kept.
  [[nodiscard]] bool is_under(const Snapshot& snapshot) const noexcept {
    return configuration_ == snapshot.generation;
  }
  /// Whether a token is remembered: then proving it is no guess.
  [[nodiscard]] bool knows(const Fingerprint& print) const noexcept {
    return young_.contains(print) || old_.contains(print);
  }

  /// From now on tokens are proved by these.
  void take_up(std::shared_ptr<const identity::TokenKeys> keys) noexcept {
    keys_ = std::move(keys);
  }

  [[nodiscard]] std::uint64_t keys_generation() const noexcept { return keys_->generation; }
  /// What tokens are proved by under a configuration, which it borrows.
  [[nodiscard]] identity::TokenTrust trust(const Snapshot& snapshot) const noexcept;

 private:
  /// Fingerprints are uniform already.
  struct FirstWord {
    std::size_t operator()(const Fingerprint& print) const noexcept { return print[0]; }
  };
  using Table = std::unordered_map<Fingerprint, TokenProof, FirstWord>;
  struct Refused {
    identity::TokenFault fault;
    Instant until;
  };

  void follow(const Snapshot& snapshot);
  [[nodiscard]] TokenProof* find(const Fingerprint& print, WallTime now);
  [[nodiscard]] Answer verify(std::string_view token, const Fingerprint& print,
                              const Snapshot& snapshot, const identity::Possession& has,
                              const Now& now);
  [[nodiscard]] Answer look_up(const Fingerprint& print, const config::OidcIssuer& issuer,
                               Instant now) const;
  TokenProof& keep(const Fingerprint& print, ProvedToken proved);
  void make_room();

  std::shared_ptr<const identity::TokenKeys> keys_ = std::make_shared<identity::TokenKeys>();
  std::uint64_t configuration_ = 0;    ///< Generation that the proofs are of.
  std::uint64_t keys_generation_ = 0;  ///< Likewise.
  std::size_t listeners_ = 0;          ///< Of that configuration.
  // What is used moves to the younger half; when that is full the older one goes.
  Table young_;
  Table old_;
  std::unordered_map<Fingerprint, Refused, FirstWord> refused_;
  std::optional<TokenProof> older_;  ///< What was proved last under an older configuration.
};

}  // namespace sluice::dataplane
