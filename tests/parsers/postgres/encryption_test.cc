#include "parsers/postgres/encryption.h"

#include <catch2/catch.hpp>

#include "cases.h"
#include "parsers/postgres/startup.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;

namespace {

constexpr std::uint32_t cancel_code = 80877102;
constexpr std::uint32_t ssl_code = 80877103;
constexpr std::uint32_t gssenc_code = 80877104;

Opening decoded(std::string_view in) {
  GuardedBytes room(in.size());
  return decode_opening(room.hold(as_bytes(in)));
}

/// Decided once, whatever follows, and awaited before.
Opening opening(const std::string& bytes) {
  const Opening whole = decoded(bytes);
  bool is_decided = false;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const Opening one = decoded(std::string_view(bytes).substr(0, size));
    if (is_decided) CHECK(one == whole);
    is_decided = is_decided || one != Opening::needs_more;
    CHECK(is_decided == (size >= ssl_request_packet.size() || (size > 0 && bytes[0] == 0x16)));
  }
  return whole;
}

EncryptionAnswer answered(std::string_view in) {
  GuardedBytes room(in.size());
  return decode_encryption_answer(room.hold(as_bytes(in)));
}

}  // namespace

TEST_CASE("a connection begins with TLS, with a request for encryption, or in clear") {
  CHECK(opening(packet(ssl_code)) == Opening::ssl_request);
  CHECK(opening(packet(gssenc_code)) == Opening::gssenc_request);
  CHECK(opening(packet(ssl_code).append(packet(version_3_0, z("user")))) == Opening::ssl_request);
  CHECK(opening("\x16\x03\x01\x02\x05 a ClientHello") == Opening::direct_tls);
  CHECK(opening(packet(version_3_0, z("user") + z("ada") + z(""))) == Opening::in_clear);
  CHECK(opening(packet(cancel_code, u32(1) + "abcd")) == Opening::in_clear);
  CHECK(opening("GET / HTTP/1.1\r\n") == Opening::in_clear);
  // A request of another length is none: its packet is refused like any malformed one.
  CHECK(opening(packet(ssl_code, "x")) == Opening::in_clear);
  CHECK(opening(u32(7) + u32(ssl_code)) == Opening::in_clear);
  CHECK(opening(u32(8) + u32(ssl_code + 2)) == Opening::in_clear);
}

TEST_CASE("our own request is the one that a server knows") {
  CHECK(decode_opening(ssl_request_packet) == Opening::ssl_request);
  CHECK(decode_startup(ssl_request_packet).kind == StartupStep::Kind::ssl_request);
}

TEST_CASE("only a single byte of consent is one") {
  CHECK(answered("S") == EncryptionAnswer::accepted);
  CHECK(answered("N") == EncryptionAnswer::refused);
  CHECK(answered(message('E', z("SFATAL") + z(""))) == EncryptionAnswer::refused);
  CHECK(answered("SR") == EncryptionAnswer::early);
  CHECK(answered(std::string("S").append(message('R', u32(0)))) == EncryptionAnswer::early);
  CHECK(answered("NS") == EncryptionAnswer::refused);
  for (const char* const other : {"s", "R", "G", "\x15\x03\x01", "\x16"}) {
    CHECK(answered(other) == EncryptionAnswer::malformed);
  }
}
