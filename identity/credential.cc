#include "identity/credential.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/ascii.h"

namespace sluice::identity {
namespace {

/// RFC 9110 §11.1: the scheme's name has no case.
bool takes_scheme(std::string_view& value, std::string_view lower_scheme) noexcept {
  if (value.size() <= lower_scheme.size() || value[lower_scheme.size()] != ' ') return false;
  for (std::size_t i = 0; i < lower_scheme.size(); ++i) {
    if (lower_of(value[i]) != lower_scheme[i]) return false;
  }
  value.remove_prefix(lower_scheme.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return true;
}

std::optional<unsigned> base64_digit(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0' + 52);
  if (c == '+') return 62U;
  if (c == '/') return 63U;
  return std::nullopt;
}

/// RFC 4648 §4, canonical padding only, straight into `out`. Returns the bytes
/// written; nothing when the text is not base64 or has no room.
std::optional<std::size_t> decode_base64(std::string_view text, std::span<char> out) noexcept {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t size = text.size() / 4 * 3 - padding;
  if (size > out.size()) return std::nullopt;
  text.remove_suffix(padding);
  unsigned bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const char c : text) {
    const auto digit = base64_digit(c);
    if (!digit) return std::nullopt;
    held = held << 6 | *digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[written++] = static_cast<char>(held >> bits & 0xFFU);
    held &= (1U << bits) - 1;
  }
  // Bits behind the last byte would be a second spelling of the same secret.
  return held == 0 ? std::optional(written) : std::nullopt;
}

bool is_visible(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// Keys are "sk_…" or "login:secret"; RFC 6750 §2.1 has no colon in a token.
bool is_token(std::string_view text) noexcept {
  return !text.empty() && text.find(':') == text.npos && !text.starts_with("sk_");
}

/// As the header of a JWS or a JWE does: a JSON object in base64url.
bool begins_object(std::string_view text) noexcept {
  // The six bits of 'e' and the first two of these sixteen are '{'.
  constexpr std::string_view second = "wxyz0123456789-_";
  return text.size() > 1 && text[0] == 'e' && second.find(text[1]) != second.npos;
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

}  // namespace

Credential& Credential::operator=(const Credential& other) noexcept {
  if (this == &other) return *this;
  form_ = other.form_;
  size_ = other.size_;
  token_ = other.token_;
  std::copy_n(other.bytes_.begin(), size_, bytes_.begin());
  return *this;
}

Credential::~Credential() {
  OPENSSL_cleanse(bytes_.data(), size_);
}

void Credential::take_bearer(std::string_view text) noexcept {
  if (!is_token(text)) return take_key(text);
  if (!is_visible(text)) return;
  token_ = text;
  form_ = Form::token;
}

void Credential::take_bound(std::string_view text) noexcept {
  if (!is_token(text) || !is_visible(text)) return;
  token_ = text;
  form_ = Form::bound_token;
}

void Credential::take_key(std::string_view text) noexcept {
  if (text.empty() || text.size() > bytes_max || !is_visible(text)) return;
  std::copy(text.begin(), text.end(), bytes_.begin());
  size_ = static_cast<std::uint16_t>(text.size());
  form_ = Form::key;
}

void Credential::take_login(std::string_view base64) noexcept {
  const auto size = decode_base64(base64, bytes_);
  if (!size) return;
  size_ = static_cast<std::uint16_t>(*size);
  // RFC 7617 §2: a login has no colon, neither part a control character.
  if (presented().find(':') == std::string_view::npos || has_control(presented())) {
    OPENSSL_cleanse(bytes_.data(), size_);
    size_ = 0;
    return;
  }
  form_ = Form::login;
}

bool is_compact_jws(std::string_view text) noexcept {
  return begins_object(text) && std::ranges::count(text, '.') == 2 &&
         std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_opaque_token(std::string_view token) noexcept {
  if (token.empty() || token.size() > opaque_token_bytes_max) return false;
  const auto dots = std::ranges::count(token, '.');
  constexpr std::ptrdiff_t dots_of_jws = 2;
  constexpr std::ptrdiff_t dots_of_jwe = 4;
  return dots != dots_of_jws && dots != dots_of_jwe;
}

Credential parse_authorization(std::string_view header_value) noexcept {
  Credential credential;
  if (takes_scheme(header_value, "bearer")) {
    credential.take_bearer(header_value);
  } else if (takes_scheme(header_value, "dpop")) {
    credential.take_bound(header_value);
  } else if (takes_scheme(header_value, "basic")) {
    credential.take_login(header_value);
  }
  return credential;
}

Credential parse_api_key_field(std::string_view header_value) noexcept {
  Credential credential;
  credential.take_key(header_value);
  return credential;
}

}  // namespace sluice::identity
