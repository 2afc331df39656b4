#include "cli/configuration.h"

#include <filesystem>

#include "cli/output.h"
#include "cli/signer.h"
#include "config/load/load.h"
#include "control/revocations.h"
#include "dataplane/session/snapshot_tls.h"
#include "identity/jwk_set.h"
#include "saml/service_provider.h"

namespace sluice::cli {
namespace {

bool is_there(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown) || unknown;
}

/// The keys of issuers that publish them in a file.
Result<void> check_key_files(const config::Identity& settings) {
  for (const config::OidcIssuer& issuer : settings.oidc) {
    if (issuer.jwks_file.empty()) continue;
    const auto text = config::World::real().read_file(issuer.jwks_file);
    if (!text) return fail(fmt::format("cannot read the keys '{}'", issuer.jwks_file));
    const auto set = identity::parse_jwk_set(*text);
    if (!set) return fail(fmt::format("{}: {}", issuer.jwks_file, set.error().message));
  }
  return {};
}

tl::unexpected<Error> absent(const std::string& path) {
  return fail(fmt::format("there is no configuration '{}'; name yours with -c FILE", path));
}

/// Settings of either constness.
template <class Settings, class Each>
void for_each_tls_file(Settings& settings, Each each) {
  for (auto& listener : settings.listeners) {
    if (!listener.tls) continue;
    each(listener.tls->certificate);
    each(listener.tls->key);
    if (!listener.tls->ocsp.path.empty()) each(listener.tls->ocsp);
    for (auto& [certificate, key, ocsp] : listener.tls->by_name) {
      each(certificate);
      each(key);
      if (!ocsp.path.empty()) each(ocsp);
    }
  }
  if (auto& listen = settings.admin.listen) {
    each(listen->certificate);
    each(listen->key);
  }
  if (auto& mtls = settings.identity.mtls) {
    each(mtls->client_ca);
    if (!mtls->crl.path.empty()) each(mtls->crl);
  }
  for (auto& target : settings.targets) {
    if (!target.tls) continue;
    for (auto* const file : {&target.tls->ca, &target.tls->certificate, &target.tls->key}) {
      if (!file->path.empty()) each(*file);
    }
  }
}

}  // namespace

Result<config::Settings> read_settings(const std::string& path) {
  if (!is_there(path)) return absent(path);
  auto loaded = config::load(path, config::World::real());
  if (loaded.problems.empty()) {
    if (loaded.settings.audit.token) {
      const auto token = signer_settings(loaded.settings.audit).token;
      if (auto good = audit::check_token_settings(token); !good) return fail(good.error().message);
    }
    return std::move(loaded.settings);
  }
  std::string text;
  for (const auto& problem : loaded.problems) text += problem.text() + "\n";
  text += fmt::format("{} problem{} in the configuration", loaded.problems.size(),
                      loaded.problems.size() == 1 ? "" : "s");
  return fail(text);
}

Result<std::string> admin_socket(const std::string& path) {
  if (!is_there(path)) return absent(path);
  return config::load(path, config::World::real()).settings.admin.socket;
}

std::optional<config::Settings> load_settings(std::string_view verb, const std::string& path) {
  auto settings = read_settings(path);
  if (settings) return std::move(*settings);
  fmt::print(stderr, "sluice {}: the configuration cannot be used\n{}\n", verb,
             settings.error().message);
  return std::nullopt;
}

Result<std::shared_ptr<const identity::ApiKeys>> read_keys(const config::Settings& settings,
                                                           const identity::Digest& mocks) {
  const std::string& path = settings.identity.api_keys_file;
  if (path.empty()) return identity::ApiKeys::none(mocks);
  const auto text = config::World::real().read_file(path);
  if (!text) return fail(fmt::format("cannot read the API keys file '{}'", path));
  const auto revoked =
      control::Revocations::read(control::revoked_keys, settings.identity.revoked_keys);
  if (!revoked) return fail("identity.revoked_keys: " + revoked.error().message);
  return identity::ApiKeys::parse(*text, path, mocks, *revoked->ids());
}

Result<std::shared_ptr<const identity::RevokedTokens>> read_revoked(
    const config::Settings& settings) {
  const auto& tokens = settings.identity.gateway_tokens;
  if (!tokens) return std::make_shared<const identity::RevokedTokens>();
  const auto list = control::Revocations::read(control::revoked_tokens, tokens->revocations);
  if (!list) return tl::unexpected(list.error());
  return list->ids();
}

Result<std::optional<audit::WitnessPolicy>> read_witness_policy(const config::Settings& settings) {
  const std::string& path = settings.audit.witness_policy;
  if (path.empty()) return std::optional<audit::WitnessPolicy>();
  const auto text = config::World::real().read_file(path);
  if (!text) return fail(fmt::format("audit.witness_policy: cannot read '{}'", path));
  auto policy = audit::WitnessPolicy::parse(*text);
  if (!policy) return fail(fmt::format("audit.witness_policy: {}", policy.error().message));
  return std::optional(std::move(*policy));
}

std::vector<std::string> tls_files(const config::Settings& settings) {
  std::vector<std::string> files;
  for_each_tls_file(settings, [&](const config::FileText& file) { files.push_back(file.path); });
  return files;
}

Result<std::shared_ptr<const dataplane::Snapshot>> reread_tls(const dataplane::Snapshot& current) {
  auto next = std::make_shared<dataplane::Snapshot>(current);
  ++next->generation;
  std::string missing;
  for_each_tls_file(next->settings, [&](config::FileText& file) {
    auto text = config::World::real().read_file(file.path);
    if (!text) missing = file.path;
    file.text = std::move(text).value_or("");
  });
  if (!missing.empty()) return fail(fmt::format("cannot read '{}'", missing));
  if (auto done = dataplane::plan_tls(*next); !done) return tl::unexpected(done.error());
  return next;
}

Result<std::shared_ptr<const dataplane::Snapshot>> make_snapshot(const config::Settings& settings,
                                                                 const identity::Digest& mocks,
                                                                 std::uint64_t generation) {
  if (auto policy = read_witness_policy(settings); !policy) {
    return tl::unexpected(policy.error());
  }
  if (auto good = check_key_files(settings.identity); !good) return tl::unexpected(good.error());
  if (const auto& saml = settings.identity.saml) {
    if (auto made = saml::ServiceProvider::make(*saml); !made) return tl::unexpected(made.error());
  }
  auto keys = read_keys(settings, mocks);
  if (!keys) return tl::unexpected(keys.error());
  auto revoked = read_revoked(settings);
  if (!revoked) return tl::unexpected(revoked.error());
  return dataplane::compile(settings, {std::move(*keys), std::move(*revoked)}, generation);
}

}  // namespace sluice::cli
