// This gateway as a SAML service provider: what it tells the identity provider of itself, and how
// it asks it to sign somebody in.
//
// source   SAML Metadata §2.4.4, SAML Core §3.4.1, SAML Bindings §3.4.4 (HTTP-Redirect)
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/identity_settings.h"
#include "saml/identity_provider.h"

namespace sluice::saml {

/// Immutable; threads share it.
class ServiceProvider {
 public:
  /// errors  what is wrong with which key or certificate, never what is in it.
  static Result<std::shared_ptr<const ServiceProvider>> make(const config::SamlProvider& settings);

  [[nodiscard]] const config::SamlProvider& settings() const noexcept { return settings_; }
  [[nodiscard]] const ProviderKeys& provider() const noexcept { return provider_; }

  /// An EntityDescriptor, for the provider's administrator.
  [[nodiscard]] const std::string& metadata() const noexcept { return metadata_; }

  /// Where the browser goes to sign in: the provider's page, with a signed request.
  /// request  its ID, which comes back as RelayState, too.
  /// errors   OpenSSL failed.
  [[nodiscard]] Result<std::string> sign_in_url(std::string_view request, WallTime now) const;

 private:
  ServiceProvider() = default;

  config::SamlProvider settings_;
  ProviderKeys provider_;
  std::shared_ptr<evp_pkey_st> key_;
  std::string metadata_;
};

}  // namespace sluice::saml
