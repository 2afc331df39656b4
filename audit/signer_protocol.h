// What the gateway and its signer process say to each other, one message a datagram:
//
//   'H'  signer → gateway, first   operations key (64) ‖ mocks key (32) ‖ kept head ‖
//                                  last head ‖ length of the verifier line (2) ‖ that
//                                  line ‖ seal in force, or nothing
//   'S'  gateway → signer          number of the newest seal that the log has (8) ‖ head
//                                  before ‖ head now ‖ proof (0 to 64 hashes)
//   'E'  gateway → signer          digest of an evidence package's manifest (32)
//   'K'  signer → gateway          signature (64) ‖ a new seal, or nothing
//   'R'  signer → gateway          why there is no greeting, or no signature, in words
//
// A head is its size (8 bytes) and its root (32); numbers are little-endian. There is no message
// with a text to sign: the signer writes that itself (of a package: package_statement.h). Pure;
// each message has one spelling.
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
  std::string seal;
};
struct Request {
  std::uint64_t sealed = 0;
  Extension next;
};
struct Answer {
  Signature signature{};
  std::string seal;
};

using Message = std::vector<std::uint8_t>;
Message encode(const Greeting& greeting);
Message encode(std::uint64_t sealed, const Extension& next);
Message encode_package(const Hash& manifest);
Message encode(const Answer& answer);
/// Cut where it is too long.
Message encode_refusal(std::string_view reason);

/// nothing   not a request of this protocol.
std::optional<Request> parse_request(ByteView message);
/// nothing   it does not ask for a package's signature.
std::optional<Hash> parse_package(ByteView message);
/// errors   the refusal's words, or that it is neither.
Result<Greeting> parse_greeting(ByteView message);
Result<Answer> parse_answer(ByteView message);

}  // namespace sluice::audit::signer_protocol
