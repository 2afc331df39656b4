#include "control/saml_pages.h"

#include <strings.h>

#include <algorithm>
#include <utility>

#include "control/web_page.h"

namespace sluice::control {
namespace {

constexpr std::string_view cookie = "__Host-sluice-saml";

bool is_form(const HttpRequest& request) {
  const std::string_view type = field_value(request.fields, "content-type");
  const std::string name(type.substr(0, type.find(';')));
  return ::strcasecmp(name.c_str(), "application/x-www-form-urlencoded") == 0;
}

std::string set_saml_cookie(std::string_view value, std::int64_t seconds) {
  // The provider's page posts the response from another site: without SameSite=None the browser
  // would leave the cookie out.
  return set_cookie(cookie, value, SameSite::none, seconds);
}

}  // namespace

SamlPages::SamlPages(World world, const std::array<std::uint8_t, saml::SignIns::key_bytes>& key)
    : world_(std::move(world)), sign_ins_(key, world_.ask_reader) {}

Result<std::unique_ptr<SamlPages>> SamlPages::make(World world) {
  const auto random = world.random(saml::SignIns::key_bytes);
  std::array<std::uint8_t, saml::SignIns::key_bytes> key{};
  if (random.size() != key.size()) return fail("the system gives no random bytes");
  std::ranges::copy(random, key.begin());
  return std::unique_ptr<SamlPages>(new SamlPages(std::move(world), key));
}

std::optional<HttpReply> SamlPages::answer(const HttpRequest& request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  const bool is_metadata = path == "/saml/metadata";
  const bool is_login = path == "/saml/login";
  const bool is_consumer = path == "/saml/acs";
  if (!is_metadata && !is_login && !is_consumer) return std::nullopt;
  const auto provider = world_.provider();
  if (!provider) return std::nullopt;
  if (is_consumer)
    return request.method == "POST" ? finish(*provider, request) : only_method("POST");
  if (request.method != "GET") return only_method("GET");
  if (is_login) return begin(*provider);
  return HttpReply{.content_type = "application/samlmetadata+xml",
                   .body = provider->metadata(),
                   .fields = page_fields()};
}

HttpReply SamlPages::begin(const saml::ServiceProvider& provider) {
  const auto random = world_.random(saml::SignIns::random_bytes);
  std::array<std::uint8_t, saml::SignIns::random_bytes> bytes{};
  if (random.size() != bytes.size()) return plain_page(503, "try again");
  std::ranges::copy(random, bytes.begin());
  auto begun = sign_ins_.begin(provider, world_.now(), bytes);
  if (!begun) return plain_page(503, begun.error().message);
  const std::int64_t seconds = provider.settings().sign_in_timeout.ns / 1'000'000'000;
  return plain_page(302, "to the identity provider",
                    {{"Location", std::move(begun->url)},
                     {"Set-Cookie", set_saml_cookie(begun->browser_secret, seconds)}});
}

HttpReply SamlPages::finish(const saml::ServiceProvider& provider, const HttpRequest& request) {
  if (!is_form(request)) return plain_page(415, "only application/x-www-form-urlencoded");
  const SourcePlaces::Place place(readings_, request.tcp_peer ? request.tcp_peer->source : "");
  if (!place) return refuse(saml::Fault::too_many_sign_ins, provider, request);
  auto verdict = sign_ins_.finish(provider, request.body, cookie_of(request, cookie), world_.now());
  if (verdict.fault != saml::Fault::none) return refuse(verdict.fault, provider, request);
  signed_in_.fetch_add(1, std::memory_order_relaxed);
  MintRequest wanted;
  wanted.by = verdict.principal.subject;
  wanted.proved = std::move(verdict.principal);
  return token_page(world_.mint(wanted), {{"Set-Cookie", set_saml_cookie("", 0)}});
}

HttpReply SamlPages::refuse(saml::Fault fault, const saml::ServiceProvider& provider,
                            const HttpRequest& request) {
  refused_[static_cast<std::size_t>(fault)].fetch_add(1, std::memory_order_relaxed);
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = "sign-in-refused";
  record.issuer = provider.settings().name;
  record.proof = text(config::Proof::saml);
  record.reason = text(fault);
  if (request.tcp_peer) record.peer = request.tcp_peer->address;
  // What was refused stays so, whether or not the log takes it now.
  static_cast<void>(world_.record(record));
  // Nothing that helps a forger: the record has the reason.
  const int status = fault == saml::Fault::too_many_sign_ins ? 503 : 403;
  return html_page(status, "Not signed in",
                   "<p>The sign-in was not accepted. <a href=\"/saml/login\">Try again</a>; the "
                   "gateway's operator sees why in the audit log.</p>\n");
}

SamlCounts SamlPages::counts() const noexcept {
  SamlCounts out;
  out.signed_in = signed_in_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    out.refused[i] = refused_[i].load(std::memory_order_relaxed);
  }
  return out;
}

}  // namespace sluice::control
