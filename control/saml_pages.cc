#include "control/saml_pages.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <utility>

#include "base/timestamp.h"

namespace sluice::control {
namespace {

/// RFC 6265bis §4.1.3.2: for this host, this port's TLS and no other path.
constexpr std::string_view cookie = "__Host-sluice-saml";

using Fields = HttpFields;

/// What each of these pages is answered with: nothing of it is kept, framed or run.
Fields with_headers(Fields more = {}) {
  Fields out{{"Cache-Control", "no-store"},
             {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
             {"Referrer-Policy", "no-referrer"},
             {"X-Content-Type-Options", "nosniff"}};
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

std::string set_cookie(std::string_view value, std::int64_t seconds) {
  // The provider's page posts the response from another site: without SameSite=None the browser
  // would leave the cookie out.
  return fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age={}", cookie, value,
                     seconds);
}

std::string_view without_space(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

/// RFC 6265 §4.2.1. Empty: it is not there.
std::string_view cookie_of(const HttpRequest& request) {
  std::string_view rest = field_value(request.fields, "cookie");
  while (!rest.empty()) {
    const std::string_view pair = without_space(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.size(), rest.find(';')));
    if (!rest.empty()) rest.remove_prefix(1);
    if (pair.starts_with(cookie) && pair.substr(cookie.size()).starts_with('=')) {
      return pair.substr(cookie.size() + 1);
    }
  }
  return {};
}

bool is_form(const HttpRequest& request) {
  const std::string_view type = field_value(request.fields, "content-type");
  const std::string name(type.substr(0, type.find(';')));
  return ::strcasecmp(name.c_str(), "application/x-www-form-urlencoded") == 0;
}

/// For text between tags.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

HttpReply page(int status, std::string_view title, const std::string& body, Fields more = {}) {
  return {.status = status,
          .content_type = "text/html; charset=utf-8",
          .body = fmt::format("<!doctype html>\n<html lang=\"en\"><title>{}</title>\n<h1>{}</h1>\n"
                              "{}</html>\n",
                              title, title, body),
          .fields = with_headers(std::move(more))};
}

HttpReply say(int status, std::string text, Fields more = {}) {
  return {
      .status = status, .body = std::move(text) + "\n", .fields = with_headers(std::move(more))};
}

HttpReply only(std::string_view method) {
  return say(405, fmt::format("only {}", method), {{"Allow", std::string(method)}});
}

int status_of(MintRefusal::Kind kind) {
  return kind == MintRefusal::Kind::unavailable ? 503 : 403;
}

std::string token_page(const MintedToken& token) {
  return fmt::format(
      "<p>You are {}, until {}. This token says so, as bearer token or as PostgreSQL "
      "password:</p>\n<pre>{}</pre>\n<p>Its id is {}: <code>sluice token revoke</code> takes it "
      "back.</p>\n",
      escaped(token.subject), timestamp_text(token.expires), token.token, token.id);
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
  if (is_consumer) return request.method == "POST" ? finish(*provider, request) : only("POST");
  if (request.method != "GET") return only("GET");
  if (is_login) return begin(*provider);
  return HttpReply{.content_type = "application/samlmetadata+xml",
                   .body = provider->metadata(),
                   .fields = with_headers()};
}

HttpReply SamlPages::begin(const saml::ServiceProvider& provider) {
  const auto random = world_.random(saml::SignIns::random_bytes);
  std::array<std::uint8_t, saml::SignIns::random_bytes> bytes{};
  if (random.size() != bytes.size()) return say(503, "try again");
  std::ranges::copy(random, bytes.begin());
  auto begun = sign_ins_.begin(provider, world_.now(), bytes);
  if (!begun) return say(503, begun.error().message);
  const std::int64_t seconds = provider.settings().sign_in_timeout.ns / 1'000'000'000;
  return say(302, "to the identity provider",
             {{"Location", std::move(begun->url)},
              {"Set-Cookie", set_cookie(begun->browser_secret, seconds)}});
}

HttpReply SamlPages::finish(const saml::ServiceProvider& provider, const HttpRequest& request) {
  if (!is_form(request)) return say(415, "only application/x-www-form-urlencoded");
  auto verdict = sign_ins_.finish(provider, request.body, cookie_of(request), world_.now());
  if (verdict.fault != saml::Fault::none) return refuse(verdict.fault, provider, request);
  signed_in_.fetch_add(1, std::memory_order_relaxed);
  MintRequest wanted;
  wanted.by = verdict.principal.subject;
  wanted.proved = std::move(verdict.principal);
  const auto token = world_.mint(wanted);
  if (!token) {
    return page(status_of(token.error().kind), "No token",
                fmt::format("<p>{}</p>\n", escaped(token.error().message)));
  }
  return page(200, "Signed in", token_page(*token), {{"Set-Cookie", set_cookie("", 0)}});
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
  return page(status, "Not signed in",
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
