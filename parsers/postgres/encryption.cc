#include "parsers/postgres/encryption.h"

#include "parsers/postgres/byte_order.h"
#include "parsers/postgres/message.h"
#include "parsers/postgres/startup_codes.h"

namespace sluice::postgres {
namespace {

/// RFC 8446 §5.1: the type of a record with a ClientHello. A packet in clear begins with its
/// length, of which the first byte is 0.
constexpr std::uint8_t handshake_record = 0x16;

}  // namespace

Opening decode_opening(ByteView in) noexcept {
  if (in.empty()) return Opening::needs_more;
  if (in[0] == handshake_record) return Opening::direct_tls;
  if (in.size() < ssl_request_packet.size()) return Opening::needs_more;
  if (load_u32(in.data()) != ssl_request_packet.size()) return Opening::in_clear;
  switch (load_u32(in.data() + 4)) {
    case ssl_request_code:
      return Opening::ssl_request;
    case gssenc_request_code:
      return Opening::gssenc_request;
    default:
      return Opening::in_clear;
  }
}

EncryptionAnswer decode_encryption_answer(ByteView in) noexcept {
  switch (in.front()) {
    case encryption_accepted:
      return in.size() == 1 ? EncryptionAnswer::accepted : EncryptionAnswer::early;
    case encryption_refused:
    case static_cast<std::uint8_t>(BackendType::error_response):
      return EncryptionAnswer::refused;
    default:
      return EncryptionAnswer::malformed;
  }
}

}  // namespace sluice::postgres
