#include "saml/sign_in.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/text_codec.h"

namespace sluice::saml {
namespace {

/// The configuration takes no longer one.
constexpr Duration sign_in_timeout_max = seconds(3'600);
constexpr std::size_t time_bytes = 8;
constexpr std::size_t mac_bytes = 16;
constexpr std::size_t body_bytes = time_bytes + SignIns::random_bytes;
/// That an ID begins with, for a digit may not (XML Schema, NCName).
constexpr char id_prefix = '_';

/// URL Standard §5.1. Nothing: an escape is cut off or has no hexadecimal digits.
std::optional<std::string> form_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    if (c != '%') {
      out += c == '+' ? ' ' : c;
      text.remove_prefix(1);
      continue;
    }
    const int high = text.size() > 2 ? hex_value(text[1]) : -1;
    const int low = text.size() > 2 ? hex_value(text[2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(3);
  }
  return out;
}

struct Form {
  std::optional<std::string> response;
  std::optional<std::string> relay_state;
};
std::optional<Form> read_form(std::string_view form) {
  Form out;
  while (!form.empty()) {
    const std::string_view pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    std::optional<std::string>* const field = name == "SAMLResponse" ? &out.response
                                              : name == "RelayState" ? &out.relay_state
                                                                     : nullptr;
    if (field == nullptr) continue;
    if (*field || equals == pair.npos) return std::nullopt;
    *field = form_decoded(pair.substr(equals + 1));
    if (!*field) return std::nullopt;
  }
  if (!out.response || !out.relay_state) return std::nullopt;
  return out;
}

std::string time_text(WallTime time) {
  std::string out;
  for (std::size_t i = time_bytes; i-- > 0;) {
    out += static_cast<char>(static_cast<std::uint64_t>(time.ns) >> (8 * i));
  }
  return out;
}
WallTime time_of(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) value = value << 8U | static_cast<std::uint8_t>(c);
  return {static_cast<std::int64_t>(value)};
}

bool is_same(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

Verdict refused(Fault fault) {
  return {.fault = fault, .principal = {}};
}

/// One of the readings that there may be at a time, where one is free.
class Turn {
 public:
  using Places = std::counting_semaphore<SignIns::readings_max>;
  explicit Turn(Places& places) : places_(places), is_mine_(places.try_acquire()) {}
  ~Turn() {
    if (is_mine_) places_.release();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const noexcept { return is_mine_; }

 private:
  Places& places_;
  bool is_mine_;
};

}  // namespace

std::string SignIns::mac(std::string_view label, std::string_view text) const {
  std::string message(label);
  message.append(text);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), as_bytes(message).data(),
       message.size(), out.data(), &size);
  return std::string(as_text(ByteView(out).first(std::min<std::size_t>(size, mac_bytes))));
}

Result<BegunSignIn> SignIns::begin(const ServiceProvider& provider, WallTime now,
                                   const std::array<std::uint8_t, random_bytes>& random) const {
  std::string body = time_text(now);
  body.append(as_text(random));
  body += mac("request", body);
  const std::string request = id_prefix + to_base64url(as_bytes(body));
  auto url = provider.sign_in_url(request, now);
  if (!url) return tl::unexpected(url.error());
  return BegunSignIn{std::move(*url), to_base64url(as_bytes(mac("browser", request)))};
}

Verdict SignIns::finish(const ServiceProvider& provider, std::string_view form,
                        std::string_view browser_secret, WallTime now) {
  if (form.size() > form_bytes_max) return refused(Fault::too_large);
  const auto fields = read_form(form);
  if (!fields) return refused(Fault::bad_form);
  const std::string& request = *fields->relay_state;
  WallTime until;
  const Fault fault =
      check_request(request, browser_secret, provider.settings().sign_in_timeout, now, until);
  if (fault != Fault::none) return refused(fault);
  Verdict verdict = read(provider, *fields->response, request, now);
  if (verdict.fault != Fault::none) return verdict;
  // Longer than any timeout that may come into force: a longer one brings nothing back.
  const Fault spent =
      spend(verdict.principal.credential_id, request, now + sign_in_timeout_max, now);
  return spent == Fault::none ? verdict : refused(spent);
}

Fault SignIns::check_request(std::string_view request, std::string_view browser_secret,
                             Duration timeout, WallTime now, WallTime& until) const {
  if (!request.starts_with(id_prefix)) return Fault::unknown_request;
  const auto bytes = from_base64url(request.substr(1));
  if (!bytes || bytes->size() != body_bytes + mac_bytes) return Fault::unknown_request;
  const std::string_view text = as_text(*bytes);
  if (!is_same(text.substr(body_bytes), mac("request", text.substr(0, body_bytes)))) {
    return Fault::unknown_request;
  }
  if (!is_same(browser_secret, to_base64url(as_bytes(mac("browser", request))))) {
    return Fault::other_browser;
  }
  until = time_of(text.substr(0, time_bytes)) + timeout;
  return now < until ? Fault::none : Fault::request_expired;
}

Verdict SignIns::read(const ServiceProvider& provider, const std::string& response,
                      std::string_view request, WallTime now) {
  const Turn turn(readings_);
  if (!turn) return refused(Fault::too_many_sign_ins);
  std::string base64 = response;
  // RFC 2045 §6.8, which SAML names, has it in lines.
  std::erase_if(base64, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  const auto xml = from_base64(base64);
  if (!xml) return refused(Fault::bad_base64);
  if (xml->size() > response_bytes_max) return refused(Fault::too_large);

  const config::SamlProvider& settings = provider.settings();
  const auto element = parse_signed_element(ask_(
      encode(SignedElementRequest{provider.provider().public_keys(), std::string(as_text(*xml))})));
  if (!element) return refused(element.error());
  if (const Fault fault = provider.provider().check(*element); fault != Fault::none) {
    return refused(fault);
  }
  // A second reader, which sees nothing but what the provider signed.
  const auto statement = parse_statement(ask_(encode(
      StatementRequest{settings.subject_attribute, settings.groups_attribute, element->element})));
  if (!statement) return refused(statement.error());
  return judge(*statement, element->envelope, request, settings, now);
}

Fault SignIns::spend(const std::string& assertion, const std::string& request, WallTime until,
                     WallTime now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(spent_, [now](const auto& one) { return one.second <= now; });
  if (spent_.contains(assertion)) return Fault::replayed;
  if (spent_.contains(request)) return Fault::request_spent;
  if (spent_.size() + 2 > remembered_max) return Fault::too_many_sign_ins;
  spent_.emplace(assertion, until);
  spent_.emplace(request, until);
  return Fault::none;
}

}  // namespace sluice::saml
