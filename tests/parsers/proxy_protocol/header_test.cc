#include "parsers/proxy_protocol/header.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/crc32c.h"
#include "guarded_bytes.h"
#include "proxy_protocol_words.h"

using namespace sluice;
using namespace sluice::proxy_protocol;
using namespace sluice::testing;

namespace {

/// What a header is. Each of its prefixes must be awaited, unless it is refused as
/// the whole is, and bytes behind it must not count.
std::string header(const std::string& bytes) {
  const auto decode = [](std::string_view in) {
    GuardedBytes room(in.size());
    return describe(decode_header(room.hold(as_bytes(in))));
  };
  const std::string what = decode(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string prefix = decode(std::string_view(bytes).substr(0, size));
    if (prefix != "needs more" && prefix != what) return "a prefix is " + prefix;
  }
  if (what != "needs more" && decode(bytes + "Q") != what) return "what follows counts";
  return what;
}

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string two(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

std::string packet(int version_and_command, int family, const std::string& body) {
  return signature + static_cast<char>(version_and_command) + static_cast<char>(family) +
         two(body.size()) + body;
}

/// A line of so many bytes.
std::string unknown_line(std::size_t size) {
  std::string line = "PROXY UNKNOWN ";
  line.resize(size - 2, 'x');
  return line.append("\r\n");
}

const std::string v4_addresses("\x0a\x00\x00\x01\xc0\xa8\x00\x02\x30\x39\x01\xbb", 12);
const std::string v4_words = "10.0.0.1 12345 to 192.168.0.2 443";

std::string extension(int type, const std::string& value) {
  return static_cast<char>(type) + two(value.size()) + value;
}

std::string with_checksum(std::uint32_t flipped) {
  const std::string zeroed =
      packet(0x21, 0x11, v4_addresses + extension(3, std::string(4, '\0')) + extension(4, "pad"));
  const std::uint32_t sum = crc32c(as_bytes(zeroed)) ^ flipped;
  return packet(
      0x21, 0x11,
      v4_addresses + extension(3, two(sum >> 16) + two(sum & 0xffff)) + extension(4, "pad"));
}

Address v4(std::uint8_t last, std::uint16_t port) {
  return {.bytes = {10, 0, 0, last}, .port = port, .is_v6 = false};
}

Address v6(std::uint8_t last, std::uint16_t port) {
  Address address{.bytes = {0x20, 0x01, 0x0d, 0xb8}, .port = port, .is_v6 = true};
  address.bytes[15] = last;
  return address;
}

std::string written(Version version, const Address& source, const Address& destination) {
  std::array<std::uint8_t, written_bytes_max> room{};
  const std::size_t size = write_header(version, source, destination, room);
  return {reinterpret_cast<const char*>(room.data()), size};
}

}  // namespace

TEST_CASE("a PROXY line names the client and where it arrived") {
  CHECK(header("PROXY TCP4 10.0.0.1 192.168.0.2 12345 443\r\n") == "43 bytes: " + v4_words);
  CHECK(header("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") ==
        "56 bytes: 255.255.255.255 65535 to 255.255.255.255 65535");
  CHECK(header("PROXY TCP6 2001:db8::1 ::1 0 1\r\n") == "32 bytes: 2001:db8::1 0 to ::1 1");
  CHECK(header("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n")
            .starts_with("104 bytes: ffff:"));
}

TEST_CASE("a PROXY line may leave it open who the client is") {
  CHECK(header("PROXY UNKNOWN\r\n") == "15 bytes: for itself");
  CHECK(header("PROXY UNKNOWN ffff::1 what ever 1 2\r\n") == "37 bytes: for itself");
  CHECK(header(unknown_line(107)) == "107 bytes: for itself");
}

TEST_CASE("a PROXY line that is none is refused") {
  const std::string line = std::string(text(Fault::bad_line));
  const std::string address = std::string(text(Fault::bad_address));
  const std::string none = std::string(text(Fault::no_header));
  CHECK(header("P") == "needs more");
  CHECK(header("PROXY") == "needs more");
  CHECK(header("PROXY \r") == "needs more");
  CHECK(header("POST / HTTP/1.1\r\n") == none);
  CHECK(header("PROXX") == none);
  CHECK(header("proxy TCP4 10.0.0.1 10.0.0.2 1 2\r\n") == none);
  CHECK(header("PROXY\tTCP4 10.0.0.1 10.0.0.2 1 2\r\n") == none);
  CHECK(header("PROXY\r\n") == none);
  CHECK(header("PROXY \r\n") == line);
  CHECK(header("PROXY TCP5 10.0.0.1 10.0.0.2 1 2\r\n") == line);
  CHECK(header("PROXY UNKNOWNX\r\n") == line);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n") == line);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n") == line);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\rX") == line);
  CHECK(header(std::string("PROXY TCP4 10.0.0.1\0 10.0.0.2 1 2\r\n", 36)) == line);
  CHECK(header(unknown_line(108)) == line);
  CHECK(header("PROXY TCP4  10.0.0.1 10.0.0.2 1 2\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1 2 \r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0 10.0.0.2 1 2\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.01 10.0.0.2 1 2\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.256 10.0.0.2 1 2\r\n") == address);
  CHECK(header("PROXY TCP4 ::1 ::1 1 2\r\n") == address);
  CHECK(header("PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n") == address);
  CHECK(header("PROXY TCP6 fe80::1%lo ::1 1 2\r\n") == address);
  CHECK(header("PROXY TCP6 1111:1111:1111:1111:1111:1111:1111:11111111111111 ::1 1 2\r\n") ==
        address);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 01 2\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 +1 2\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n") == address);
  CHECK(header("PROXY TCP4 10.0.0.1 10.0.0.2 1 \r\n") == address);
}

TEST_CASE("a PROXY packet names the client and where it arrived") {
  CHECK(header(packet(0x21, 0x11, v4_addresses)) == "28 bytes: " + v4_words);
  const std::string v6_addresses = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') +
                                   '\x01' + std::string(15, '\0') + '\x01' + two(7) + two(8);
  CHECK(header(packet(0x21, 0x21, v6_addresses)) == "52 bytes: 2001:db8::1 7 to ::1 8");
  CHECK(header(packet(0x21, 0x11, v4_addresses + extension(2, "name") + extension(4, ""))) ==
        "38 bytes: " + v4_words);
}

TEST_CASE("a PROXY packet may leave it open who the client is") {
  CHECK(header(packet(0x20, 0x00, "")) == "16 bytes: for itself");
  CHECK(header(packet(0x20, 0x11, "x")) == "17 bytes: for itself");
  CHECK(header(packet(0x21, 0x00, "any")) == "19 bytes: for itself");
}

TEST_CASE("a PROXY packet that is none is refused") {
  CHECK(header(signature.substr(0, 11)) == "needs more");
  CHECK(header("\r\n\r\nGET") == text(Fault::no_header));
  CHECK(header("\x16\x03\x01") == text(Fault::no_header));
  CHECK(header(packet(0x11, 0x11, v4_addresses)) == text(Fault::bad_version));
  CHECK(header(packet(0x31, 0x11, v4_addresses)) == text(Fault::bad_version));
  CHECK(header(packet(0x22, 0x11, v4_addresses)) == text(Fault::bad_command));
  CHECK(header(packet(0x21, 0x12, v4_addresses)) == text(Fault::unsupported_family));
  CHECK(header(packet(0x21, 0x10, v4_addresses)) == text(Fault::unsupported_family));
  CHECK(header(packet(0x21, 0x31, std::string(216, 'u'))) == text(Fault::unsupported_family));
  CHECK(header(packet(0x21, 0x11, v4_addresses.substr(1))) == text(Fault::bad_length));
  CHECK(header(packet(0x21, 0x21, v4_addresses)) == text(Fault::bad_length));
  CHECK(header(signature + "\x21\x11" + two(packet_body_bytes_max + 1)) == text(Fault::bad_length));
  CHECK(header(signature + "\x21\x11" + two(packet_body_bytes_max)) == "needs more");
  CHECK(header(packet(0x21, 0x11, v4_addresses + "\x04\x01")) == text(Fault::bad_extension));
  CHECK(header(packet(0x21, 0x11, v4_addresses + extension(4, "abc").substr(0, 5))) ==
        text(Fault::bad_extension));
}

TEST_CASE("a PROXY packet's checksum is checked") {
  CHECK(header(with_checksum(0)) == "41 bytes: " + v4_words);
  for (unsigned bit = 0; bit < 32; ++bit) {
    CHECK(header(with_checksum(1U << bit)) == text(Fault::bad_checksum));
  }
  CHECK(header(packet(0x21, 0x11, v4_addresses + extension(3, "abc"))) ==
        text(Fault::bad_extension));
}

TEST_CASE("a header that was written says what it was given") {
  const auto version = GENERATE(Version::v1, Version::v2);
  CAPTURE(static_cast<int>(version));
  CHECK(header(written(version, v4(1, 12345), v4(2, 443)))
            .ends_with(": 10.0.0.1 12345 to "
                       "10.0.0.2 443"));
  CHECK(header(written(version, v6(1, 65535), v6(2, 1)))
            .ends_with(": 2001:db8::1 65535 to 2001:db8::2 1"));
  CHECK(header(written(version, v4(1, 5), v6(2, 6)))
            .ends_with(": ::ffff:10.0.0.1 5 to 2001:db8::2 6"));
  CHECK(header(written(version, v6(1, 5), v4(2, 6)))
            .ends_with(": 2001:db8::1 5 to ::ffff:10.0.0.2 6"));
}

TEST_CASE("a header of one's own says that one speaks for oneself") {
  std::array<std::uint8_t, written_bytes_max> room{};
  const std::size_t line = write_own_header(Version::v1, room);
  CHECK(as_text(ByteView(room).first(line)) == "PROXY UNKNOWN\r\n");
  const std::size_t local = write_own_header(Version::v2, room);
  CHECK(as_text(ByteView(room).first(local)) == packet(0x20, 0x00, ""));
}

TEST_CASE("a line that was written reads as the specification has it") {
  CHECK(written(Version::v1, v4(1, 12345), v4(2, 443)) ==
        "PROXY TCP4 10.0.0.1 10.0.0.2 12345 443\r\n");
  CHECK(written(Version::v2, v4(1, 12345), v4(2, 443)) ==
        packet(0x21, 0x11, std::string("\x0a\0\0\x01\x0a\0\0\x02\x30\x39\x01\xbb", 12)));
}
