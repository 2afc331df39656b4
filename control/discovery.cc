#include "control/discovery.h"

#include <fmt/format.h>

#include "config/model/secure_url.h"
#include "identity/json_value.h"
#include "identity/jwk_set.h"

namespace sluice::control {
namespace {

constexpr std::string_view well_known = "/.well-known/openid-configuration";
constexpr std::size_t document_bytes_max = std::size_t{256} << 10;

/// §4.1: a slash at the end goes before the path is put behind.
std::string document_url(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string(issuer) + std::string(well_known);
}

/// The URL that the issuer's document has under a name.
Result<std::string> find_url(const config::OidcIssuer& issuer, std::string_view name,
                             const GetUrl& get) {
  const std::string url = document_url(issuer.issuer);
  const auto document = get(url, document_bytes_max);
  if (!document) return tl::unexpected(document.error());
  const auto object = identity::read_json_object(*document, {});
  if (!object) return fail(fmt::format("{}: not a JSON object", url));
  // §4.3: it must be the issuer's own, or its keys could be anyone's.
  const std::string* const named = object->find_text("issuer");
  if (named == nullptr || *named != issuer.issuer) {
    return fail(fmt::format("{}: it is the document of another issuer", url));
  }
  const std::string* const found = object->find_text(name);
  if (found == nullptr || !config::is_secure_url(*found)) {
    return fail(fmt::format("{}: its {} is not an https:// URL", url, name));
  }
  return *found;
}

}  // namespace

Result<std::string> discover_keys(const config::OidcIssuer& issuer, const GetUrl& get) {
  const auto url = find_url(issuer, "jwks_uri", get);
  return url ? get(*url, identity::jwk_set_bytes_max) : tl::unexpected(url.error());
}

Result<std::string> discover_introspection(const config::OidcIssuer& issuer, const GetUrl& get) {
  return find_url(issuer, "introspection_endpoint", get);
}

}  // namespace sluice::control
