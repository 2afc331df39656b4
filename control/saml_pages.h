// The pages by which people sign in with SAML and a browser: they begin at /saml/login, come back
// from the identity provider to /saml/acs, and end with a token of the gateway's own.
// /saml/metadata is for the provider's administrator. On the TLS port alone.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "base/instant.h"
#include "base/result.h"
#include "control/http.h"
#include "control/source_places.h"
#include "control/token_mint.h"
#include "saml/sign_in.h"

namespace sluice::control {

struct SamlCounts {
  std::uint64_t signed_in = 0;
  std::array<std::uint64_t, saml::faults> refused{};  ///< By why.
};

class SamlPages {
 public:
  struct World {
    /// As the configuration in force has it; null: it has none.
    std::function<std::shared_ptr<const saml::ServiceProvider>()> provider;
    std::function<WallTime()> now;
    /// So many bytes that nobody can guess; empty: there are none.
    std::function<std::vector<std::uint8_t>(std::size_t)> random;
    saml::SignIns::AskReader ask_reader;
    /// Into the audit log.
    std::function<Result<void>(const audit::Record&)> record;
    std::function<Result<MintedToken, MintRefusal>(const MintRequest&)> mint;
  };
  /// errors  there are no random bytes.
  static Result<std::unique_ptr<SamlPages>> make(World world);

  // Thread-safe.
  /// Nothing: it is none of these pages.
  [[nodiscard]] std::optional<HttpReply> answer(const HttpRequest& request);
  [[nodiscard]] SamlCounts counts() const noexcept;

 private:
  SamlPages(World world, const std::array<std::uint8_t, saml::SignIns::key_bytes>& key);

  [[nodiscard]] HttpReply begin(const saml::ServiceProvider& provider);
  [[nodiscard]] HttpReply finish(const saml::ServiceProvider& provider, const HttpRequest& request);
  [[nodiscard]] HttpReply refuse(saml::Fault fault, const saml::ServiceProvider& provider,
                                 const HttpRequest& request);

  World world_;
  /// Each takes processes of its own.
  SourcePlaces readings_{4, 2};
  saml::SignIns sign_ins_;
  std::atomic<std::uint64_t> signed_in_{0};
  std::array<std::atomic<std::uint64_t>, saml::faults> refused_{};
};

}  // namespace sluice::control
