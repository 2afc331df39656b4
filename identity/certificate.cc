#include "identity/certificate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "config/model/certificate_pattern.h"

namespace sluice::identity {
namespace {

using config::CertificateName;
using config::CertificateRule;

constexpr std::string_view spiffe_scheme = "spiffe://";
constexpr std::size_t spiffe_id_bytes_max = 2048;
constexpr std::size_t trust_domain_bytes_max = 255;

CertificateVerdict refuse(CertificateFault fault) {
  return {fault, {}};
}

bool is_trust_domain(std::string_view text) noexcept {
  return !text.empty() && text.size() <= trust_domain_bytes_max &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '-' || c == '_';
         });
}

bool is_path_segment(std::string_view text) noexcept {
  return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

/// As rules are compared with it: the case of what DNS has is nobody's choice (RFC 4343).
std::string comparable(CertificateName kind, const std::string& name) {
  if (kind == CertificateName::dns) return in_lower_case(name);
  if (kind != CertificateName::email) return name;
  const std::size_t at = std::min(name.rfind('@'), name.size());
  return name.substr(0, at) + in_lower_case(std::string_view(name).substr(at));
}

std::vector<std::string> names_of(const CertificateFacts& facts, CertificateName kind) {
  switch (kind) {
    case CertificateName::spiffe:
      return facts.uris;
    case CertificateName::dns:
      return facts.dns;
    case CertificateName::email:
      return facts.emails;
    case CertificateName::subject:
      return {facts.subject};
  }
  return {};
}

/// A wildcard stands for hosts, not for somebody who calls.
bool is_usable(CertificateName kind, const std::string& name) noexcept {
  if (name.empty() || name.size() > certificate_name_bytes_max) return false;
  if (kind == CertificateName::spiffe) return is_spiffe_id(name);
  return std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; }) &&
         (kind != CertificateName::dns || name.find('*') == std::string::npos);
}

/// Nothing when what the rule makes of the name is too long.
std::optional<config::Principal> principal_of(const CertificateRule& rule, const std::string& name,
                                              const config::Captures& captures,
                                              const CertificateFacts& facts) {
  config::Principal principal;
  principal.subject = rule.as.empty() ? name : config::fill_template(rule.as, captures);
  bool fits = principal.subject.size() <= certificate_text_bytes_max;
  for (const std::string& group : rule.groups) {
    principal.groups.push_back(config::fill_template(group, captures));
    fits = fits && principal.groups.back().size() <= certificate_text_bytes_max;
  }
  if (!fits) return std::nullopt;
  principal.issuer = "mtls";
  principal.proof = config::Proof::certificate;
  principal.credential_id = facts.serial;
  principal.expires = facts.good_until;
  return principal;
}

/// What one rule says; nothing when it fits no name.
std::optional<CertificateVerdict> apply(const CertificateRule& rule,
                                        const CertificateFacts& facts) {
  const auto [kind, pattern] = rule.name();
  std::optional<config::Principal> found;
  for (const std::string& raw : names_of(facts, kind)) {
    const std::string name = comparable(kind, raw);
    const auto captures = config::match_certificate_name(kind, pattern, name);
    if (!captures) continue;
    if (!is_usable(kind, name)) return refuse(CertificateFault::malformed);
    // X509-SVID §2: a certificate with more than one URI is nobody's.
    const bool is_one = kind != CertificateName::spiffe || facts.uris.size() == 1;
    if (found || !is_one) return refuse(CertificateFault::ambiguous);
    found = principal_of(rule, name, *captures, facts);
    if (!found) return refuse(CertificateFault::malformed);
  }
  if (!found) return std::nullopt;
  return CertificateVerdict{CertificateFault::none, std::move(*found)};
}

constexpr std::array<std::string_view, certificate_faults> fault_texts{"none",
                                                                       "certificate_unmapped",
                                                                       "certificate_ambiguous",
                                                                       "certificate_malformed",
                                                                       "certificate_missing",
                                                                       "certificate_expired",
                                                                       "certificate_revoked",
                                                                       "certificate_untrusted"};
static_assert(!fault_texts.back().empty());

}  // namespace

std::string_view text(CertificateFault fault) noexcept {
  return fault_texts[static_cast<std::size_t>(fault)];
}

std::string_view name(CertificateFault fault) noexcept {
  const std::string_view whole = text(fault);
  return whole.substr(whole.find('_') + 1);
}

bool is_spiffe_id(std::string_view text) noexcept {
  if (!text.starts_with(spiffe_scheme) || text.size() > spiffe_id_bytes_max) return false;
  text.remove_prefix(spiffe_scheme.size());
  std::size_t end = std::min(text.find('/'), text.size());
  if (!is_trust_domain(text.substr(0, end))) return false;
  while (end != text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find('/'), text.size());
    if (!is_path_segment(text.substr(0, end))) return false;
  }
  return true;
}

CertificateVerdict map_certificate(const CertificateFacts& facts,
                                   std::span<const CertificateRule> rules) {
  if (!facts.is_readable) return refuse(CertificateFault::malformed);
  static const CertificateRule any_spiffe_id = [] {
    CertificateRule rule;
    rule.spiffe = "spiffe://**";
    return rule;
  }();
  if (rules.empty()) rules = {&any_spiffe_id, 1};
  for (const CertificateRule& rule : rules) {
    if (auto verdict = apply(rule, facts)) return std::move(*verdict);
  }
  return refuse(CertificateFault::unmapped);
}

}  // namespace sluice::identity
