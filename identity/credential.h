// A credential as a request carries it, cut from its header field.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::identity {

/// Holds its bytes itself (no heap) and wipes them when it goes; but a token, which is long and
/// short-lived, stays where it is.
class Credential {
 public:
  static constexpr std::size_t bytes_max = 512;

  enum class Form : std::uint8_t {
    key,          ///< "Bearer sk_…", "Bearer login:secret" or the whole X-Api-Key field.
    login,        ///< "Basic …": presented() is "login:secret".
    token,        ///< Any other "Bearer …": presented() is the field's own bytes, of any length.
    bound_token,  ///< "DPoP …": likewise, and a proof stands beside it (RFC 9449 §7.1).
    malformed,    ///< Unknown scheme, bad base64, too long, control characters.
  };

  Credential(const Credential& other) noexcept { *this = other; }
  Credential& operator=(const Credential& other) noexcept;
  ~Credential();

  [[nodiscard]] Form form() const noexcept { return form_; }
  [[nodiscard]] bool holds_token() const noexcept {
    return form_ == Form::token || form_ == Form::bound_token;
  }
  /// What ApiKeys::verify() takes, or verify_token(); empty when malformed. Lives with this
  /// object, a token with its header field.
  [[nodiscard]] std::string_view presented() const noexcept {
    return holds_token() ? token_ : std::string_view(bytes_.data(), size_);
  }

 private:
  friend Credential parse_authorization(std::string_view header_value) noexcept;
  friend Credential parse_api_key_field(std::string_view header_value) noexcept;
  // Not defaulted, so that Credential{} leaves the bytes alone: they are written as they come.
  Credential() noexcept {}  // NOLINT(modernize-use-equals-default)

  void take_bearer(std::string_view text) noexcept;
  void take_bound(std::string_view text) noexcept;
  void take_key(std::string_view text) noexcept;
  void take_login(std::string_view base64) noexcept;

  Form form_ = Form::malformed;
  std::uint16_t size_ = 0;
  std::string_view token_;
  std::array<char, bytes_max> bytes_;
};

/// Whether a text that may be a token or a secret somebody chose begins as a token's header does: a
/// JWS in its compact form (RFC 7515 §7.1), whose first part is a JSON object in base64url.
[[nodiscard]] bool is_compact_jws(std::string_view text) noexcept;

/// The longest token that an issuer is asked about.
inline constexpr std::size_t opaque_token_bytes_max = std::size_t{4} << 10;

/// Whether a token says to nobody but its issuer what it is: it has not as many parts as a JWS or a
/// JWE in its compact form (RFC 7515 §7.1, RFC 7516 §7.1), which may be anyone's.
[[nodiscard]] bool is_opaque_token(std::string_view token) noexcept;

/// The value of an Authorization field: Bearer (RFC 6750 §2.1), DPoP (RFC 9449 §7.1) or Basic
/// (RFC 7617).
[[nodiscard]] Credential parse_authorization(std::string_view header_value) noexcept;
/// The value of an X-Api-Key field: the key as it is.
[[nodiscard]] Credential parse_api_key_field(std::string_view header_value) noexcept;

}  // namespace sluice::identity
