// Everything a worker needs to judge and forward, compiled from one configuration.
// Immutable; swapped between loop turns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/age_recipient.h"
#include "audit/sha256.h"
#include "base/result.h"
#include "config/model/network.h"
#include "config/model/policy.h"
#include "config/model/settings.h"
#include "dataplane/session/column_catalog.h"
#include "dataplane/tls/tls_plan.h"
#include "dataplane/transport/transport.h"
#include "identity/api_keys.h"
#include "identity/gateway_tokens.h"
#include "matcher/mask_program.h"
#include "matcher/pattern_set.h"
#include "parsers/http1/decoder.h"

namespace sluice::dataplane {

struct TargetPlan {
  config::Target settings;
  std::vector<Endpoint> endpoints;  ///< Same order as settings.addresses.
  std::vector<std::string> endpoint_texts;
  std::shared_ptr<const TlsClientPlan> tls;  ///< Null: in clear.
};

struct ListenerPlan {
  config::Listener settings;
  Endpoint endpoint;
  std::vector<config::Network> proxies;      ///< Whose connections begin with a PROXY header.
  std::size_t target = 0;                    ///< Index into Snapshot::targets.
  std::shared_ptr<const TlsServerPlan> tls;  ///< Null: in clear.
  std::optional<config::RateRule> handshakes_per_source;
  config::Policy policy;
  http1::Limits limits;
  std::vector<ColumnMask> columns;  ///< That masks name.
  // Masks by column, by what they do to expressions.
  matcher::RuleSet derived_refused;
  matcher::RuleSet derived_allowed;
  /// Null when the policy has no pattern on that subject.
  std::shared_ptr<const matcher::PatternSet> headers;
  std::shared_ptr<const matcher::PatternSet> statements;
  std::shared_ptr<const matcher::PatternSet> bodies;  ///< And one of the gateway's own, last.
};

struct Snapshot {
  std::uint64_t generation = 0;
  audit::Hash policy_digest{};  ///< SHA-256 of settings.text.
  config::Settings settings;
  std::vector<TargetPlan> targets;
  std::vector<ListenerPlan> listeners;
  /// All masks of the configuration, and after them the built-ins that no record
  /// may show in clear even where no mask asks for it.
  std::shared_ptr<const matcher::MaskProgram> masks;
  matcher::RuleSet record_masks;                                     ///< Every rule of `masks`.
  std::shared_ptr<const identity::ApiKeys> keys;                     ///< Never null; may be empty.
  std::shared_ptr<const identity::GatewayTokenKeys> gateway_tokens;  ///< Null: there are none.
  std::shared_ptr<const identity::RevokedTokens> revoked;            ///< Never null.
  std::optional<config::RateRule> failed_proofs_per_source;
  std::shared_ptr<const TlsServerPlan> admin_tls;  ///< Of the control API's port; null: none.
  std::vector<audit::AgeRecipient> auditors;       ///< Whom recordings are encrypted to.
};

/// What a configuration has in files of its own, which change by themselves. Never null.
struct Credentials {
  std::shared_ptr<const identity::ApiKeys> keys;
  std::shared_ptr<const identity::RevokedTokens> revoked =
      std::make_shared<const identity::RevokedTokens>();
};

/// errors  what `sluice check` prints: a rule or mask that cannot be enforced,
///         with its place.
Result<std::shared_ptr<const Snapshot>> compile(const config::Settings& settings,
                                                Credentials credentials, std::uint64_t generation);

}  // namespace sluice::dataplane
