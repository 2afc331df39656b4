#include "parsers/proxy_protocol/header.h"

#include <algorithm>

#include "parsers/proxy_protocol/line.h"
#include "parsers/proxy_protocol/packet.h"

namespace sluice::proxy_protocol {

std::string_view text(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::no_header:
      return "no PROXY header";
    case Fault::bad_line:
      return "a PROXY line that is malformed";
    case Fault::bad_address:
      return "a PROXY line without a valid address";
    case Fault::bad_version:
      return "an unknown version of the PROXY protocol";
    case Fault::bad_command:
      return "an unknown PROXY command";
    case Fault::unsupported_family:
      return "a PROXY header of an address family that is not TCP's";
    case Fault::bad_length:
      return "a PROXY header of an impossible length";
    case Fault::bad_extension:
      return "a PROXY header with malformed extensions";
    case Fault::bad_checksum:
      return "a PROXY header with a wrong checksum";
  }
  return "unknown";
}

HeaderStep decode_header(ByteView in) noexcept {
  if (in.empty()) return {};
  if (in.front() == line_opening.front()) return decode_line(in);
  return decode_packet(in);
}

std::size_t write_header(Version version, const Address& source, const Address& destination,
                         std::span<std::uint8_t, written_bytes_max> out) noexcept {
  const bool is_v6 = source.is_v6 || destination.is_v6;
  const auto fitted = [is_v6](const Address& address) {
    if (!is_v6 || address.is_v6) return address;
    // RFC 4291 §2.5.5.2
    Address mapped{.bytes = {}, .port = address.port, .is_v6 = true};
    mapped.bytes[10] = mapped.bytes[11] = 0xff;
    std::copy_n(address.bytes.begin(), 4, mapped.bytes.begin() + 12);
    return mapped;
  };
  const auto write = version == Version::v1 ? write_line : write_packet;
  return write(fitted(source), fitted(destination), out);
}

std::size_t write_own_header(Version version,
                             std::span<std::uint8_t, written_bytes_max> out) noexcept {
  return version == Version::v1 ? write_unknown_line(out) : write_local_packet(out);
}

}  // namespace sluice::proxy_protocol
