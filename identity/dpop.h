// Proofs that who shows a token has the key that it is bound to: a JWT of its own beside each
// request. Pure, but for who has seen a proof before: that is asked elsewhere.
//
// source   RFC 9449 §4 (DPoP)
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/jws_algorithm.h"
#include "identity/jwk_set.h"
#include "identity/secret_hash.h"
#include "identity/token_fault.h"

namespace sluice::identity {

inline constexpr std::size_t dpop_bytes_max = std::size_t{8} << 10;
/// How far a client's clock may be ahead: "the reasonably near future" (RFC 9449 §11.1). A proof
/// from there is good for so much longer.
inline constexpr Duration dpop_ahead_max = seconds(10);

/// A proof that was read, and is not verified. Borrows the text that it was read from.
struct DpopProof {
  Digest thumbprint{};  ///< Of its key (RFC 7638): what the token must be bound to.
  std::string uri;      ///< `htu`, as it stands.

  // For verify_dpop().
  Jwk key;
  config::JwsAlgorithm algorithm = config::JwsAlgorithm::es256;
  std::string_view signed_text;
  std::string_view signature;
  std::string method;
  std::string token_digest;  ///< `ath`
  std::string id;            ///< `jti`
  WallTime issued;
};

/// text     the value of a DPoP field.
/// errors   malformed_dpop, bad_dpop_key.
Result<DpopProof, TokenFault> read_dpop(std::string_view text);

/// What a proof must be about.
struct DpopClaim {
  std::string_view method;  ///< As the request line has it.
  std::string_view token;   ///< That stands beside it.
};

/// Whether the proof holds, but for its URI, and for whether it was shown before. Cheap questions
/// come first: a signature is looked at when all else fits.
///
/// max_age  how long ago it may have been made; how far ahead is dpop_ahead_max.
/// errors   wrong_dpop_method, wrong_dpop_token, wrong_dpop_time, bad_dpop_signature.
TokenFault verify_dpop(const DpopProof& proof, const DpopClaim& about, WallTime now,
                       Duration max_age);

}  // namespace sluice::identity
