#include "identity/scram.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text_codec.h"
#include "identity/scram_attributes.h"

namespace sluice::identity {
namespace {

constexpr std::size_t salt_bytes_min = scram_salt_bytes;
constexpr std::size_t salt_bytes_max = 256;

tl::unexpected<ScramFault> refuse(ScramFault fault) {
  return tl::unexpected<ScramFault>(fault);
}

std::optional<Digest> hmac(const Digest& key, std::string_view text) noexcept {
  Digest out{};
  unsigned size = 0;
  const ByteView bytes = as_bytes(text);
  const bool is_done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(),
                            bytes.size(), out.data(), &size) != nullptr;
  return is_done && size == out.size() ? std::optional(out) : std::nullopt;
}

Digest exclusive_or(const Digest& a, const Digest& b) noexcept {
  Digest out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
  return out;
}

std::optional<Digest> digest_from_base64(std::string_view text) {
  const auto bytes = from_base64(text);
  Digest out{};
  if (!bytes || bytes->size() != out.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

/// RFC 5802 §7, posit-number: no sign, no leading zero.
std::optional<std::uint32_t> parse_iterations(std::string_view text) noexcept {
  std::uint32_t count = 0;
  if (text.empty() || text[0] == '0') return std::nullopt;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return count;
}

bool is_allowed(std::uint32_t iterations) noexcept {
  return iterations >= scram_iterations_min && iterations <= scram_iterations_max;
}

/// A message may be a text at all: no zero bytes, and not too long.
bool is_message(std::string_view text) noexcept {
  return text.size() <= scram_message_bytes_max && text.find('\0') == std::string_view::npos;
}

/// RFC 5802 §5.1: "=" stands only before "2C" (a comma) or "3D" (itself).
bool is_name(std::string_view text) noexcept {
  for (auto at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    const std::string_view code = text.substr(at + 1, 2);
    if (code != "2C" && code != "3D") return false;
  }
  return true;
}

/// RFC 5802 §7, gs2-cbind-flag, of a client that binds.
constexpr std::string_view bound_flag = "p=tls-server-end-point";

}  // namespace

std::string_view text(ScramFault fault) noexcept {
  switch (fault) {
    case ScramFault::none:
      return "none";
    case ScramFault::malformed:
      return "malformed";
    case ScramFault::unsupported:
      return "unsupported";
    case ScramFault::channel_binding:
      return "channel_binding";
    case ScramFault::bad_nonce:
      return "bad_nonce";
    case ScramFault::bad_iterations:
      return "bad_iterations";
    case ScramFault::wrong_proof:
      return "wrong_proof";
    case ScramFault::refused:
      return "refused";
    case ScramFault::wrong_signature:
      return "wrong_signature";
    case ScramFault::no_crypto:
      return "no_crypto";
  }
  return "?";
}

// What is kept.

Result<ScramVerifier> ScramVerifier::parse(std::string_view text) {
  constexpr auto form = "a SCRAM verifier is SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey";
  std::array<std::string_view, 5> parts;
  constexpr std::string_view separators = "$:$:";
  for (std::size_t i = 0; i < separators.size(); ++i) {
    const std::size_t end = text.find(separators[i]);
    if (end == std::string_view::npos) return fail(form);
    parts[i] = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  parts[4] = text;
  const auto iterations = parse_iterations(parts[1]);
  auto salt = from_base64(parts[2]);
  const auto stored_key = digest_from_base64(parts[3]);
  const auto server_key = digest_from_base64(parts[4]);
  if (parts[0] != scram_mechanism || !iterations || !salt || !stored_key || !server_key) {
    return fail(form);
  }
  if (!is_allowed(*iterations)) {
    return fail(fmt::format("a SCRAM verifier has {} to {} iterations", scram_iterations_min,
                            scram_iterations_max));
  }
  if (salt->size() < salt_bytes_min || salt->size() > salt_bytes_max) {
    return fail(fmt::format("a SCRAM salt has {} to {} bytes", salt_bytes_min, salt_bytes_max));
  }
  return ScramVerifier{*iterations, std::move(*salt), *stored_key, *server_key};
}

std::string ScramVerifier::text() const {
  return fmt::format("{}${}:{}${}:{}", scram_mechanism, iterations, to_base64(salt),
                     to_base64(stored_key), to_base64(server_key));
}

ScramKeys::~ScramKeys() {
  OPENSSL_cleanse(client_key.data(), client_key.size());
  OPENSSL_cleanse(stored_key.data(), stored_key.size());
  OPENSSL_cleanse(server_key.data(), server_key.size());
}

// RFC 5802 §3.
std::optional<ScramKeys> derive_scram_keys(std::string_view password, ByteView salt,
                                           std::uint32_t iterations) noexcept {
  Digest salted{};
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(salted.size()), salted.data()) != 1) {
    return std::nullopt;
  }
  const auto client_key = hmac(salted, "Client Key");
  const auto server_key = hmac(salted, "Server Key");
  OPENSSL_cleanse(salted.data(), salted.size());
  if (!client_key || !server_key) return std::nullopt;
  const auto stored_key = sha256(as_text(*client_key));
  if (!stored_key) return std::nullopt;
  ScramKeys keys;
  keys.client_key = *client_key;
  keys.stored_key = *stored_key;
  keys.server_key = *server_key;
  return keys;
}

Result<ScramVerifier> make_scram_verifier(std::string_view password, ByteView salt,
                                          std::uint32_t iterations) {
  const auto keys = derive_scram_keys(password, salt, iterations);
  if (!keys) return fail("OpenSSL could not derive SCRAM keys");
  return ScramVerifier{iterations, {salt.begin(), salt.end()}, keys->stored_key, keys->server_key};
}

Result<ScramVerifier, ScramFault> make_mock_verifier(const Digest& secret, std::string_view name,
                                                     std::uint32_t iterations) {
  const auto salt = hmac(secret, fmt::format("scram salt of {}", name));
  // Of a stored key the client key would have to be found.
  const auto stored_key = hmac(secret, fmt::format("scram stored key of {}", name));
  const auto server_key = hmac(secret, fmt::format("scram server key of {}", name));
  if (!salt || !stored_key || !server_key) return refuse(ScramFault::no_crypto);
  return ScramVerifier{
      iterations, {salt->begin(), salt->begin() + scram_salt_bytes}, *stored_key, *server_key};
}

// The server.

ScramServer::ScramServer(ScramVerifier verifier, std::string_view nonce, ChannelBinding binding)
    : verifier_(std::move(verifier)), nonce_(nonce), binding_(std::move(binding)) {}

std::span<const std::string_view> ScramServer::mechanisms() const noexcept {
  static constexpr std::array all{scram_plus_mechanism, scram_mechanism};
  return binding_.empty() ? std::span(all).last(1) : std::span(all);
}

/// RFC 5802 §7, gs2-header: cut off `message`.
Result<std::string_view, ScramFault> ScramServer::take_gs2_header(std::string_view mechanism,
                                                                  std::string_view& message) const {
  const bool is_plus = mechanism == scram_plus_mechanism;
  const std::string_view flag = message.substr(0, message.find(','));
  const std::string_view behind = message.substr(flag.size());
  const bool binds = flag.starts_with("p=");
  if (!binds && flag != "n" && flag != "y") return refuse(ScramFault::malformed);
  if (binds != is_plus || (binds && flag != bound_flag)) return refuse(ScramFault::channel_binding);
  // RFC 5802 §6: it could bind and thinks that we cannot, so it did not see what we offered.
  if (flag == "y" && !binding_.empty()) return refuse(ScramFault::channel_binding);
  if (behind.starts_with(",a=")) return refuse(ScramFault::unsupported);
  if (!behind.starts_with(",,")) return refuse(ScramFault::malformed);
  const std::string_view header = message.substr(0, flag.size() + 2);
  message.remove_prefix(header.size());
  return header;
}

Result<std::string, ScramFault> ScramServer::begin(std::string_view mechanism,
                                                   std::string_view client_first) {
  if (std::exchange(turn_, Turn::over) != Turn::begin) return refuse(ScramFault::malformed);
  if (std::ranges::find(mechanisms(), mechanism) == mechanisms().end()) {
    return refuse(ScramFault::malformed);
  }
  if (!is_message(client_first)) return refuse(ScramFault::malformed);
  const auto header = take_gs2_header(mechanism, client_first);
  if (!header) return refuse(header.error());
  if (client_first.starts_with("m=")) return refuse(ScramFault::unsupported);

  ScramAttributes attributes(client_first);
  const auto name = attributes.take('n');
  const auto client_nonce = attributes.take('r');
  if (!name || !is_name(*name) || !client_nonce || !is_nonce(*client_nonce) ||
      !attributes.skip_extensions()) {
    return refuse(ScramFault::malformed);
  }
  binding_input_ = *header;
  if (mechanism == scram_plus_mechanism) binding_input_ += as_text(binding_);
  nonce_.insert(0, *client_nonce);
  std::string answer =
      fmt::format("r={},s={},i={}", nonce_, to_base64(verifier_.salt), verifier_.iterations);
  auth_message_ = fmt::format("{},{}", client_first, answer);
  turn_ = Turn::finish;
  return answer;
}

Result<std::string, ScramFault> ScramServer::finish(std::string_view client_final) {
  if (std::exchange(turn_, Turn::over) != Turn::finish) return refuse(ScramFault::malformed);
  if (!is_message(client_final)) return refuse(ScramFault::malformed);
  ScramAttributes attributes(client_final);
  const auto binding = attributes.take('c');
  const auto nonce = attributes.take('r');
  if (!binding || !nonce || !attributes.skip_extensions('p') || attributes.is_over()) {
    return refuse(ScramFault::malformed);
  }
  const std::size_t unproven_bytes = client_final.size() - attributes.rest().size() - 1;
  const auto encoded_proof = attributes.take('p');
  if (!encoded_proof || !attributes.is_over()) return refuse(ScramFault::malformed);
  const auto proof = digest_from_base64(*encoded_proof);
  if (!proof) return refuse(ScramFault::malformed);
  // RFC 5802 §6: what the client began with, so that nobody on the way changed it, and the
  // channel as it sees it.
  if (*binding != to_base64(as_bytes(binding_input_))) return refuse(ScramFault::channel_binding);
  if (*nonce != nonce_) return refuse(ScramFault::bad_nonce);

  auth_message_.append(",").append(client_final.substr(0, unproven_bytes));
  const auto client_signature = hmac(verifier_.stored_key, auth_message_);
  const auto server_signature = hmac(verifier_.server_key, auth_message_);
  if (!client_signature || !server_signature) return refuse(ScramFault::no_crypto);
  Digest client_key = exclusive_or(*proof, *client_signature);
  const auto stored_key = sha256(as_text(client_key));
  OPENSSL_cleanse(client_key.data(), client_key.size());
  if (!stored_key) return refuse(ScramFault::no_crypto);
  if (!equal(*stored_key, verifier_.stored_key)) return refuse(ScramFault::wrong_proof);
  return "v=" + to_base64(*server_signature);
}

// The client.

ScramClient::ScramClient(std::string_view nonce, std::string_view mechanism,
                         const ChannelBinding& binding)
    : nonce_(nonce), auth_message_(fmt::format("n=,r={}", nonce)) {
  if (mechanism == scram_plus_mechanism) {
    gs2_header_ = fmt::format("{},,", bound_flag);
    binding_input_.append(gs2_header_).append(as_text(binding));
  } else {
    binding_input_ = gs2_header_ = binding.empty() ? "n,," : "y,,";
  }
}

std::string ScramClient::first() const {
  return gs2_header_ + auth_message_;
}

Result<ScramChallenge, ScramFault> ScramClient::challenge(std::string_view server_first) {
  if (std::exchange(turn_, Turn::over) != Turn::challenge) return refuse(ScramFault::malformed);
  if (!is_message(server_first)) return refuse(ScramFault::malformed);
  if (server_first.starts_with("m=")) return refuse(ScramFault::unsupported);
  ScramAttributes attributes(server_first);
  const auto nonce = attributes.take('r');
  const auto encoded_salt = attributes.take('s');
  const auto count = attributes.take('i');
  if (!nonce || !is_nonce(*nonce) || !encoded_salt || !count || !attributes.skip_extensions()) {
    return refuse(ScramFault::malformed);
  }
  auto salt = from_base64(*encoded_salt);
  const auto iterations = parse_iterations(*count);
  if (!salt || salt->empty() || !iterations) return refuse(ScramFault::malformed);
  // A server that adds nothing to our nonce could play an old login again.
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
    return refuse(ScramFault::bad_nonce);
  }
  if (!is_allowed(*iterations)) return refuse(ScramFault::bad_iterations);

  nonce_ = *nonce;
  auth_message_.append(",").append(server_first);
  turn_ = Turn::prove;
  return ScramChallenge{std::move(*salt), *iterations};
}

Result<std::string, ScramFault> ScramClient::prove(const ScramKeys& keys) {
  if (std::exchange(turn_, Turn::over) != Turn::prove) return refuse(ScramFault::malformed);
  const std::string unproven =
      fmt::format("c={},r={}", to_base64(as_bytes(binding_input_)), nonce_);
  auth_message_.append(",").append(unproven);
  const auto client_signature = hmac(keys.stored_key, auth_message_);
  const auto server_signature = hmac(keys.server_key, auth_message_);
  if (!client_signature || !server_signature) return refuse(ScramFault::no_crypto);
  server_signature_ = *server_signature;
  turn_ = Turn::verify;
  return fmt::format("{},p={}", unproven,
                     to_base64(exclusive_or(keys.client_key, *client_signature)));
}

ScramFault ScramClient::verify(std::string_view server_final) {
  if (std::exchange(turn_, Turn::over) != Turn::verify) return ScramFault::malformed;
  if (!is_message(server_final)) return ScramFault::malformed;
  if (server_final.starts_with("e=")) return ScramFault::refused;
  ScramAttributes attributes(server_final);
  const auto encoded = attributes.take('v');
  if (!encoded || !attributes.skip_extensions()) return ScramFault::malformed;
  const auto signature = digest_from_base64(*encoded);
  if (!signature) return ScramFault::malformed;
  return equal(*signature, server_signature_) ? ScramFault::none : ScramFault::wrong_signature;
}

}  // namespace sluice::identity
