// Words for settings, shared by the two forms of `sluice check`'s answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model/settings.h"

namespace sluice::cli {

std::string_view text(config::Protocol protocol) noexcept;
std::string_view text(config::RulingKind kind) noexcept;
std::string_view text(config::MaskDirection direction) noexcept;
std::string_view text(config::MaskDerived derived) noexcept;
std::string_view text(config::ForwardedFields forwarded) noexcept;
std::string_view text(config::ProxyHeader header) noexcept;
std::string_view text(config::Release release) noexcept;
std::string_view text(config::ExportFormat format) noexcept;
std::string_view text(config::WebhookFormat format) noexcept;
std::string text(const config::MaskShow& show);
/// What clients of a listener must speak, and what a target must prove.
std::string tls_text(const config::Listener& listener);
std::string tls_text(const config::Target& target);
/// Empty when clients are asked for none.
std::string client_certificate_text(const config::Listener& listener,
                                    const config::Identity& identity);
/// Which name makes whom: "DNS name *.batch.example → {1} in batch".
std::string text(const config::CertificateRule& rule);
/// How PostgreSQL clients prove who they are.
std::string logins_text(const config::Listener& listener);
/// Where an export's records go: "files in /var/log/sluice".
std::string destination_text(const config::AuditExport& one);

/// The rules that can decide on this listener, strictest first, and the masks
/// that apply to its target.
std::vector<const config::PolicyRule*> rules_of(const config::Settings& settings,
                                                const config::Listener& listener);
std::vector<const config::Mask*> masks_of(const config::Settings& settings,
                                          const config::Listener& listener);
const config::Target* target_of(const config::Settings& settings, const config::Listener& listener);

}  // namespace sluice::cli
