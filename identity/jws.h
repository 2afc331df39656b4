// A token as it is written: three parts and a header. What it claims is another matter. Inside this
// room only.
//
// source   RFC 7515 §3.1 and §4
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model/jws_algorithm.h"
#include "identity/json_value.h"
#include "identity/token_fault.h"

namespace sluice::identity {

/// The parts of a compact serialisation, as they stand.
struct JwsParts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  ///< The first two, with the dot.
};
[[nodiscard]] TokenFault split(std::string_view token, JwsParts& parts) noexcept;

/// The JSON object that a part is in base64url.
Result<JsonValue, TokenFault> read_part(std::string_view part);

struct JwsHeader {
  config::JwsAlgorithm algorithm = config::JwsAlgorithm::rs256;
  std::string key_id;  ///< Empty: it names none.
  std::string type;    ///< In lower case, without "application/"; empty: it has none.
};
/// Refuses what brings keys, asks for extensions, is not signed or by a shared secret.
[[nodiscard]] TokenFault read_header(const JsonValue& object, JwsHeader& header);
/// The same of a proof that somebody has the key that the header brings as `jwk` (RFC 9449 §4.2),
/// which is not believed in anything else.
[[nodiscard]] TokenFault read_proof_header(const JsonValue& object, JwsHeader& header);

}  // namespace sluice::identity
