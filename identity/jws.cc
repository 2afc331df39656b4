#include "identity/jws.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/text_codec.h"
#include "identity/jwk_set.h"
#include "identity/oidc.h"

namespace sluice::identity {
namespace {

using config::JwsAlgorithm;
using Kind = JsonValue::Kind;

/// A part of a token that cannot be one.
TokenFault fault_of(JsonFault fault) noexcept {
  switch (fault) {
    case JsonFault::malformed:
      return TokenFault::bad_json;
    case JsonFault::repeated_member:
      return TokenFault::repeated_member;
    case JsonFault::too_large:
      return TokenFault::too_complex;
  }
  return TokenFault::bad_json;
}

}  // namespace

TokenFault split(std::string_view token, JwsParts& parts) noexcept {
  if (token.size() > token_bytes_max) return TokenFault::too_large;
  constexpr std::ptrdiff_t dots_of_jwe = 4;
  const auto dots = std::ranges::count(token, '.');
  if (dots == dots_of_jwe) return TokenFault::encrypted;
  if (dots != 2) return TokenFault::not_compact;
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  parts = {token.substr(0, first), token.substr(first + 1, second - first - 1),
           token.substr(second + 1), token.substr(0, second)};
  return parts.header.empty() || parts.payload.empty() ? TokenFault::not_compact : TokenFault::none;
}

Result<JsonValue, TokenFault> read_part(std::string_view part) {
  const auto bytes = from_base64url(part);
  if (!bytes) return tl::unexpected(TokenFault::bad_base64);
  auto object = read_json_object(as_text(*bytes), {});
  if (!object) return tl::unexpected(fault_of(object.error()));
  return std::move(*object);
}

namespace {

/// Media types have no case, and "application/" may be left out (RFC 7515 §4.1.9).
std::string bare_type(std::string_view type) {
  std::string lower = in_lower_case(type);
  constexpr std::string_view prefix = "application/";
  if (lower.starts_with(prefix)) lower.erase(0, prefix.size());
  return lower;
}

TokenFault read_algorithm(const JsonValue& object, JwsAlgorithm& algorithm) {
  const std::string* const name = object.find_text("alg");
  if (name == nullptr) return TokenFault::no_algorithm;
  if (in_lower_case(*name) == "none") return TokenFault::unsigned_token;
  if (name->starts_with("HS")) return TokenFault::symmetric_algorithm;
  const auto known = config::jws_algorithm(*name);
  if (!known) return TokenFault::unknown_algorithm;
  algorithm = *known;
  return TokenFault::none;
}

/// All but a key in the header itself.
TokenFault read_bare_header(const JsonValue& object, JwsHeader& header) {
  // RFC 8725 §3.10: what brings its own certificate, or sends us for a key, proves nothing.
  for (const std::string_view name : {"jku", "x5c", "x5u"}) {
    if (object.find(name) != nullptr) return TokenFault::embedded_key;
  }
  if (object.find("crit") != nullptr || object.find("b64") != nullptr) {
    return TokenFault::critical_header;
  }
  if (object.find("enc") != nullptr || object.find("zip") != nullptr) return TokenFault::encrypted;
  if (object.find("cty") != nullptr) return TokenFault::nested_token;
  if (const TokenFault fault = read_algorithm(object, header.algorithm);
      fault != TokenFault::none) {
    return fault;
  }
  if (const JsonValue* const type = object.find("typ")) {
    if (type->kind == Kind::text) header.type = bare_type(type->text);
    if (header.type.empty()) return TokenFault::wrong_type;
  }
  if (const JsonValue* const id = object.find("kid")) {
    const bool is_good =
        id->kind == Kind::text && !id->text.empty() && id->text.size() <= key_id_bytes_max;
    if (!is_good) return TokenFault::bad_key_id;
    header.key_id = id->text;
  }
  return TokenFault::none;
}

}  // namespace

TokenFault read_header(const JsonValue& object, JwsHeader& header) {
  // RFC 8725 §3.10, too.
  if (object.find("jwk") != nullptr) return TokenFault::embedded_key;
  return read_bare_header(object, header);
}

TokenFault read_proof_header(const JsonValue& object, JwsHeader& header) {
  return read_bare_header(object, header);
}

}  // namespace sluice::identity
