#include "dataplane/session/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/model/limits.h"
#include "dataplane/session/snapshot_tls.h"

namespace sluice::dataplane {
namespace {

static_assert(config::masks_max == matcher::rules_max, "a mask's index must fit a rule set");
static_assert(config::inspected_body_bytes_limit <= matcher::inspected_body_bytes_max,
              "the matcher must be able to see every body that policy inspects");

/// Never shown in a record, whatever the masks say.
constexpr std::array record_builtins = {"payment-card", "jwt", "bearer-token", "aws-key"};

std::string at(const config::Place& place) {
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

matcher::Show show_of(const config::MaskShow& show) {
  using Kind = matcher::Show::Kind;
  switch (show.kind) {
    case config::MaskShowKind::redact:
      return {Kind::redact, 0, 0};
    case config::MaskShowKind::partial:
      return {Kind::partial, show.first, show.last};
    case config::MaskShowKind::hash:
      return {Kind::hash, 0, 0};
  }
  return {};
}

matcher::MaskRule rule_of(const config::Mask& mask) {
  using Kind = matcher::Finder::Kind;
  matcher::MaskRule rule{mask.name, {}, show_of(mask.show)};
  const auto add = [&rule](Kind kind, const std::vector<std::string>& texts) {
    for (const auto& text : texts) rule.finders.push_back({kind, text});
  };
  add(Kind::builtin, mask.find.builtins);
  add(Kind::regex, mask.find.patterns);
  add(Kind::json_path, mask.find.json);
  add(Kind::form_field, mask.find.form);
  add(Kind::header, mask.find.headers);
  if (!mask.find.columns.empty()) rule.finders.push_back({Kind::told, ""});
  return rule;
}

/// name  "table.column" or "schema.table.column".
ColumnMask column_mask(std::string_view name, std::uint8_t rule) {
  const std::size_t last = name.rfind('.');
  const std::string_view table = name.substr(0, last);
  const std::size_t dot = table.find('.');
  ColumnMask mask;
  if (dot != table.npos) mask.schema = table.substr(0, dot);
  mask.relation = dot == table.npos ? table : table.substr(dot + 1);
  mask.column = name.substr(last + 1);
  mask.rule = rule;
  return mask;
}

/// What compiling all masks refused, told of each mask that is refused alone too,
/// at its place; as it was when it takes them together to fail.
Error mask_faults(const config::Settings& settings, std::string_view key, const Error& together) {
  std::string text;
  for (const auto& mask : settings.masks) {
    const auto alone = matcher::MaskProgram::compile(std::array{rule_of(mask)}, as_bytes(key));
    if (alone) continue;
    if (!text.empty()) text += '\n';
    text += fmt::format("{}: {}", at(mask.place), alone.error().message);
  }
  return text.empty() ? together : Error{std::move(text)};
}

Result<void> compile_masks(const config::Settings& settings, Snapshot& snapshot) {
  std::vector<matcher::MaskRule> rules;
  for (const auto& mask : settings.masks) rules.push_back(rule_of(mask));
  if (rules.size() + record_builtins.size() > matcher::rules_max) {
    return fail(fmt::format("{} masks are configured; at most {} fit", rules.size(),
                            matcher::rules_max - record_builtins.size()));
  }
  for (const char* name : record_builtins) {
    rules.push_back({fmt::format("record:{}", name),
                     {{matcher::Finder::Kind::builtin, name}},
                     {matcher::Show::Kind::redact, 0, 0}});
  }
  // Both arms must be views: a string and a literal would make a temporary string.
  const std::string_view key =
      settings.mask_hash_key ? std::string_view(settings.mask_hash_key->value) : std::string_view();
  auto program = matcher::MaskProgram::compile(rules, as_bytes(key));
  if (!program) return tl::unexpected(mask_faults(settings, key, program.error()));
  snapshot.masks = std::move(*program);
  for (std::size_t i = 0; i < rules.size(); ++i) snapshot.record_masks.set(i);
  return {};
}

Result<void> plan_recordings(const config::Recordings& recordings, Snapshot& snapshot) {
  for (const std::string& line : recordings.recipients) {
    const auto recipient = audit::AgeRecipient::parse(line);
    if (!recipient) {
      return fail(fmt::format("{}: recipient '{}': {}", at(recordings.place), line,
                              recipient.error().message));
    }
    snapshot.auditors.push_back(*recipient);
  }
  return {};
}

Result<TargetPlan> plan_target(const config::Target& target) {
  TargetPlan plan{target, {}, {}, nullptr};
  for (const auto& address : target.addresses) {
    auto endpoint = parse_endpoint(address.host, address.port);
    if (!endpoint) {
      return fail(fmt::format("{}: target '{}': {}", at(target.place), target.name,
                              endpoint.error().message));
    }
    plan.endpoint_texts.push_back(text(*endpoint));
    plan.endpoints.push_back(*endpoint);
  }
  return plan;
}

/// own  expressions of the gateway itself; they come behind policy's.
Result<std::shared_ptr<const matcher::PatternSet>> compile_patterns(
    std::span<const config::PatternSource> sources, std::span<const matcher::Pattern> own) {
  if (sources.empty()) return std::shared_ptr<const matcher::PatternSet>{};
  std::vector<matcher::Pattern> patterns;
  patterns.reserve(sources.size() + own.size());
  for (const auto& source : sources) {
    patterns.push_back({source.rule, source.expression, source.ignores_case});
  }
  patterns.insert(patterns.end(), own.begin(), own.end());
  return matcher::PatternSet::compile(patterns);
}

/// A part of a multipart body (RFC 7578 §4.7, §4.5) whose text is not what its bytes show.
const matcher::Pattern coded_part{
    "coded parts",
    R"(content-transfer-encoding\s*:\s*["']?(?:base64|quoted-printable|x-|uu))"
    R"(|charset\s*\*?\s*=\s*["']?(?:utf-?(?:16|32|7)|ucs|ibm|cp037))",
    true};

/// The same for the patterns of rules.
Error pattern_faults(const config::Settings& settings,
                     std::span<const config::PatternSource> sources, const Error& together) {
  std::string text;
  for (const auto& source : sources) {
    const auto alone = compile_patterns({&source, 1}, {});
    if (alone) continue;
    const auto rule = std::ranges::find(settings.policies, source.rule, &config::PolicyRule::name);
    if (rule == settings.policies.end()) continue;
    if (!text.empty()) text += '\n';
    text += fmt::format("{}: {}", at(rule->place), alone.error().message);
  }
  return text.empty() ? together : Error{std::move(text)};
}

http1::Limits limits_of(const config::HttpLimits& http) {
  http1::Limits limits;
  limits.head_bytes_max = http.head_bytes_max;
  limits.target_bytes_max = http.target_bytes_max;
  limits.fields_max = http.fields_max;
  limits.trailer_bytes_max = http.trailer_bytes_max;
  limits.chunk_extension_bytes_max = http.chunk_extension_bytes_max;
  limits.body_bytes_max = http.body_bytes_max;
  return limits;
}

Result<ListenerPlan> plan_listener(const config::Settings& settings,
                                   const config::Listener& listener) {
  const auto refuse = [&listener](const Error& error) {
    return fail(
        fmt::format("{}: listener '{}': {}", at(listener.place), listener.name, error.message));
  };
  ListenerPlan plan;
  plan.settings = listener;
  plan.limits = limits_of(listener.http);

  auto endpoint = parse_endpoint(listener.address.host, listener.address.port);
  if (!endpoint) return refuse(endpoint.error());
  plan.endpoint = *endpoint;

  if (listener.proxy_protocol) {
    for (const std::string& text : listener.proxy_protocol->from) {
      auto network = config::Network::parse(text);
      if (!network) return refuse(network.error());
      plan.proxies.push_back(*network);
    }
  }

  if (listener.tls && listener.tls->handshakes_per_source.count != 0) {
    plan.handshakes_per_source =
        config::rate_rule(listener.name, listener.tls->handshakes_per_source);
  }

  const auto target = std::ranges::find(settings.targets, listener.target, &config::Target::name);
  if (target == settings.targets.end()) {
    return refuse({fmt::format("no target is named '{}'", listener.target)});
  }
  plan.target = static_cast<std::size_t>(target - settings.targets.begin());

  auto policy = config::Policy::compile(settings, listener);
  if (!policy) return fail(policy.error().message);
  plan.policy = std::move(*policy);

  for (std::size_t i = 0; i < settings.masks.size(); ++i) {
    const config::Mask& mask = settings.masks[i];
    if (!mask.targets.empty() &&
        std::ranges::find(mask.targets, listener.target) == mask.targets.end()) {
      continue;
    }
    if (mask.derived == config::MaskDerived::refuse) plan.derived_refused.set(i);
    if (mask.derived == config::MaskDerived::allow) plan.derived_allowed.set(i);
    for (const std::string& name : mask.find.columns) {
      plan.columns.push_back(column_mask(name, static_cast<std::uint8_t>(i)));
    }
  }

  struct Subject {
    std::span<const config::PatternSource> sources;
    std::span<const matcher::Pattern> own;
    std::shared_ptr<const matcher::PatternSet>& compiled;
  };
  const Subject subjects[] = {{plan.policy.sql_patterns(), {}, plan.statements},
                              {plan.policy.header_patterns(), {}, plan.headers},
                              {plan.policy.body_patterns(), {&coded_part, 1}, plan.bodies}};
  for (const Subject& subject : subjects) {
    auto set = compile_patterns(subject.sources, subject.own);
    if (!set) return tl::unexpected(pattern_faults(settings, subject.sources, set.error()));
    subject.compiled = std::move(*set);
  }
  return plan;
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> compile(const config::Settings& settings,
                                                Credentials credentials, std::uint64_t generation) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->generation = generation;
  snapshot->settings = settings;
  snapshot->policy_digest = audit::sha256(as_bytes(settings.text));
  snapshot->keys = std::move(credentials.keys);
  snapshot->revoked = std::move(credentials.revoked);
  if (auto masks = compile_masks(settings, *snapshot); !masks) return fail(masks.error().message);
  if (settings.recordings) {
    if (auto planned = plan_recordings(*settings.recordings, *snapshot); !planned) {
      return tl::unexpected(planned.error());
    }
  }
  for (const auto& target : settings.targets) {
    auto plan = plan_target(target);
    if (!plan) return fail(plan.error().message);
    snapshot->targets.push_back(std::move(*plan));
  }
  for (const auto& listener : settings.listeners) {
    auto plan = plan_listener(settings, listener);
    if (!plan) return fail(plan.error().message);
    snapshot->listeners.push_back(std::move(*plan));
  }
  if (const config::Rate& rate = settings.identity.failed_proofs_per_source; rate.count != 0) {
    // All of a period's may come at once: a person types a password wrong several times in a row.
    snapshot->failed_proofs_per_source = config::rate_rule("failed proofs", rate, rate.count);
  }
  if (auto tls = plan_tls(*snapshot); !tls) return tl::unexpected(tls.error());
  if (const auto& tokens = settings.identity.gateway_tokens) {
    auto made = identity::GatewayTokenKeys::read(
        tokens->key.value, tokens->previous_key ? tokens->previous_key->value : std::string());
    if (!made) {
      return fail(
          fmt::format("{}: identity.gateway_tokens: {}", at(tokens->place), made.error().message));
    }
    snapshot->gateway_tokens = std::move(*made);
  }
  return snapshot;
}

}  // namespace sluice::dataplane
