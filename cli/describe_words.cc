#include "cli/describe_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "config/load/quantity.h"

namespace sluice::cli {
namespace {

bool names_or_empty(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

/// deny over hold over allow, as the policy decides.
int strictness(config::RulingKind kind) noexcept {
  switch (kind) {
    case config::RulingKind::deny:
      return 2;
    case config::RulingKind::hold:
      return 1;
    case config::RulingKind::allow:
      return 0;
  }
  return 0;
}

std::string kafka_text(const config::KafkaExport& kafka) {
  return fmt::format("the topic {} at {}, {}{}", kafka.topic, fmt::join(kafka.brokers, ", "),
                     kafka.tls ? "TLS" : "in clear",
                     kafka.login ? " as " + kafka.login->user : std::string());
}

}  // namespace

std::string_view text(config::Protocol protocol) noexcept {
  return protocol == config::Protocol::postgres ? "postgres" : "http";
}

std::string_view text(config::RulingKind kind) noexcept {
  switch (kind) {
    case config::RulingKind::allow:
      return "allow";
    case config::RulingKind::deny:
      return "deny";
    case config::RulingKind::hold:
      return "hold";
  }
  return "deny";
}

std::string_view text(config::MaskDirection direction) noexcept {
  switch (direction) {
    case config::MaskDirection::response:
      return "response";
    case config::MaskDirection::request:
      return "request";
    case config::MaskDirection::both:
      return "both";
  }
  return "both";
}

std::string_view text(config::MaskDerived derived) noexcept {
  switch (derived) {
    case config::MaskDerived::mask:
      return "mask";
    case config::MaskDerived::refuse:
      return "refuse";
    case config::MaskDerived::allow:
      return "allow";
  }
  return "mask";
}

std::string_view text(config::ProxyHeader header) noexcept {
  switch (header) {
    case config::ProxyHeader::off:
      return "off";
    case config::ProxyHeader::v1:
      return "v1";
    case config::ProxyHeader::v2:
      return "v2";
  }
  return "";
}

std::string_view text(config::ForwardedFields forwarded) noexcept {
  switch (forwarded) {
    case config::ForwardedFields::append:
      return "append";
    case config::ForwardedFields::replace:
      return "replace";
    case config::ForwardedFields::off:
      return "off";
  }
  return "off";
}

std::string_view text(config::Release release) noexcept {
  return release == config::Release::durable ? "durable" : "recorded";
}

std::string_view text(config::ExportFormat format) noexcept {
  switch (format) {
    case config::ExportFormat::native:
      return "native";
    case config::ExportFormat::ocsf:
      return "ocsf";
    case config::ExportFormat::ecs:
      return "ecs";
    case config::ExportFormat::cef:
      return "cef";
  }
  return {};
}

std::string destination_text(const config::AuditExport& one) {
  if (one.file) return "files in " + one.file->directory;
  if (one.s3) {
    return fmt::format("the bucket {} at {}{}", one.s3->bucket, one.s3->endpoint,
                       one.s3->lock ? fmt::format(", locked for {} days", one.s3->lock->days) : "");
  }
  if (one.kafka) return kafka_text(*one.kafka);
  if (one.otlp) return "OpenTelemetry at " + one.otlp->endpoint;
  std::string out = "syslog at ";
  for (const config::SocketAddress& address : one.syslog->addresses) {
    out += config::address_text(address) + ", ";
  }
  return out + (one.syslog->server_name.empty() ? "in clear" : "TLS as " + one.syslog->server_name);
}

std::string tls_text(const config::Listener& listener) {
  if (!listener.tls) return "none, clients speak in clear";
  const std::size_t more = listener.tls->by_name.size();
  return fmt::format("1.2 and 1.3 only, with the certificate in {}{}{}",
                     listener.tls->certificate.path,
                     more == 0 ? std::string() : fmt::format(" and {} by name", more),
                     listener.tls->ocsp.path.empty()
                         ? std::string()
                         : "; clients that ask are shown what its authority says of it");
}

std::string client_certificate_text(const config::Listener& listener,
                                    const config::Identity& identity) {
  if (!listener.tls || !identity.mtls) return {};
  const config::ListenerTls& tls = *listener.tls;
  if (tls.client_certificate == config::ClientCertificate::off) return {};
  const config::ClientCertificates& mtls = *identity.mtls;
  return fmt::format(
      "{}, signed by one in {}; {}{}",
      tls.client_certificate == config::ClientCertificate::required ? "required" : "optional",
      mtls.client_ca.path,
      mtls.crl.path.empty() ? "NOBODY ASKS whether it was revoked"
                            : "refused without a list that is good in " + mtls.crl.path,
      tls.forward_client_certificate ? "; the target is told of it" : "");
}

std::string text(const config::CertificateRule& rule) {
  constexpr std::array kinds{"SPIFFE ID", "DNS name", "e-mail address", "subject"};
  const auto [kind, pattern] = rule.name();
  return fmt::format(
      "{} {} → {}{}", kinds[static_cast<std::size_t>(kind)], pattern,
      rule.as.empty() ? "that name" : rule.as,
      rule.groups.empty() ? std::string() : fmt::format(" in {}", fmt::join(rule.groups, ", ")));
}

std::string shown_to(const config::TargetTls& tls) {
  if (tls.certificate.path.empty()) return {};
  return "; it is shown the certificate in " + tls.certificate.path;
}

std::string tls_text(const config::Target& target) {
  if (!target.tls) return "none, the target is spoken to in clear";
  const std::string keys = target.tls->pins.empty()
                               ? std::string()
                               : fmt::format("one of {} pinned keys", target.tls->pins.size());
  if (target.tls->verify == config::TlsVerify::none) {
    return (keys.empty() ? "NOT VERIFIED: whoever answers is taken for the target"
                         : "the certificate must have " + keys + ", whoever signed it") +
           shown_to(*target.tls);
  }
  std::string names = target.tls->name;
  for (const auto& address : target.addresses) {
    const std::string& own = address.name.empty() ? address.host : address.name;
    if (!target.tls->name.empty() || names.find(own) != std::string::npos) continue;
    names += (names.empty() ? "" : ", ") + own;
  }
  return fmt::format("the certificate must be for {} and signed by {}{}{}", names,
                     target.tls->ca.path.empty() ? "an authority of the system's"
                                                 : "one in " + target.tls->ca.path,
                     keys.empty() ? std::string() : " and have " + keys, shown_to(*target.tls));
}

std::string logins_text(const config::Listener& listener) {
  if (!listener.tls) {
    return fmt::format(
        "SCRAM-SHA-256; passwords in clear text: {}",
        listener.postgres.passwords_from_loopback ? "from the same host" : "refused");
  }
  return fmt::format(
      "SCRAM-SHA-256, bound to the TLS channel where the client can; passwords "
      "inside of TLS; in clear: {}",
      listener.postgres.cancels_in_clear ? "cancel requests only" : "nothing");
}

std::string_view text(config::WebhookFormat format) noexcept {
  switch (format) {
    case config::WebhookFormat::generic:
      return "generic";
    case config::WebhookFormat::slack:
      return "slack";
    case config::WebhookFormat::teams:
      return "teams";
  }
  return "";
}

std::string text(const config::MaskShow& show) {
  switch (show.kind) {
    case config::MaskShowKind::redact:
      return "redact";
    case config::MaskShowKind::hash:
      return "hash";
    case config::MaskShowKind::partial:
      return fmt::format("partial (first {}, last {})", show.first, show.last);
  }
  return "redact";
}

std::vector<const config::PolicyRule*> rules_of(const config::Settings& settings,
                                                const config::Listener& listener) {
  std::vector<const config::PolicyRule*> rules;
  for (const auto& rule : settings.policies) {
    const bool is_of_another_protocol =
        (rule.http || rule.sql) &&
        (listener.protocol == config::Protocol::http ? !rule.http : !rule.sql);
    if (!is_of_another_protocol && names_or_empty(rule.targets, listener.target)) {
      rules.push_back(&rule);
    }
  }
  std::stable_sort(rules.begin(), rules.end(), [](const auto* a, const auto* b) {
    return strictness(a->ruling) > strictness(b->ruling);
  });
  return rules;
}

std::vector<const config::Mask*> masks_of(const config::Settings& settings,
                                          const config::Listener& listener) {
  std::vector<const config::Mask*> masks;
  for (const auto& mask : settings.masks) {
    if (names_or_empty(mask.targets, listener.target)) masks.push_back(&mask);
  }
  return masks;
}

const config::Target* target_of(const config::Settings& settings,
                                const config::Listener& listener) {
  for (const auto& target : settings.targets) {
    if (target.name == listener.target) return &target;
  }
  return nullptr;
}

}  // namespace sluice::cli
