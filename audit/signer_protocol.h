// What the gateway and its signer process say to each other, one message a datagram:
//
//   'H'  signer → gateway, first   operations key (64) ‖ mocks key (32) ‖ kept head ‖
//                                  last head ‖ verifier line
//   'S'  gateway → signer          head before ‖ head now ‖ proof (0 to 64 hashes)
//   'K'  signer → gateway          signature (64)
//   'R'  signer → gateway          why there is no greeting, or no signature, in words
//
// A head is its size (8 bytes, little-endian) and its root (32). There is no message with
// a text to sign: the signer writes that itself. Pure; each message has one spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/keys.h"
#include "audit/signed_heads.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit::signer_protocol {

inline constexpr std::size_t message_bytes_max = 4096;

struct Greeting {
  DerivedKeys keys;
  SignedHeads heads;
  std::string verifier;  ///< Its line.
};

using Message = std::vector<std::uint8_t>;
Message encode(const Greeting& greeting);
Message encode(const Extension& request);
Message encode(const Signature& signature);
/// Cut where it is too long.
Message encode_refusal(std::string_view reason);

/// nothing   not a request of this protocol.
std::optional<Extension> parse_request(ByteView message);
/// errors   the refusal's words, or that it is neither.
Result<Greeting> parse_greeting(ByteView message);
Result<Signature> parse_signature(ByteView message);

}  // namespace sluice::audit::signer_protocol
