#include "parsers/proxy_protocol/packet.h"

#include <algorithm>

#include "base/crc32c.h"

namespace sluice::proxy_protocol {
namespace {

constexpr std::array<std::uint8_t, 12> signature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::size_t head_bytes = 16;
constexpr std::size_t extension_head_bytes = 3;
constexpr std::size_t checksum_bytes = 4;

constexpr std::uint8_t version_2 = 0x20;
constexpr std::uint8_t local = 0;
constexpr std::uint8_t proxy = 1;
constexpr std::uint8_t unspecified = 0x00;
constexpr std::uint8_t tcp_over_ipv4 = 0x11;
constexpr std::uint8_t tcp_over_ipv6 = 0x21;
constexpr std::uint8_t checksum_extension = 0x03;

HeaderStep malformed(Fault fault) noexcept {
  return {.kind = HeaderStep::Kind::malformed, .fault = fault};
}

std::size_t read_two(ByteView bytes) noexcept {
  return static_cast<std::size_t>(bytes[0]) << 8 | bytes[1];
}

std::size_t host_bytes_of(std::uint8_t family) noexcept {
  if (family == unspecified) return 0;
  return family == tcp_over_ipv4 ? 4 : 16;
}

void read_addresses(ByteView body, std::size_t host_bytes, HeaderStep& step) noexcept {
  step.has_addresses = true;
  step.source.is_v6 = step.destination.is_v6 = host_bytes == 16;
  std::ranges::copy(body.first(host_bytes), step.source.bytes.begin());
  std::ranges::copy(body.subspan(host_bytes, host_bytes), step.destination.bytes.begin());
  step.source.port = static_cast<std::uint16_t>(read_two(body.subspan(2 * host_bytes)));
  step.destination.port = static_cast<std::uint16_t>(read_two(body.subspan(2 * host_bytes + 2)));
}

/// The sum is taken with its own four bytes as zeros.
bool is_sum_of(ByteView packet, ByteView sum) noexcept {
  const auto before = static_cast<std::size_t>(sum.data() - packet.data());
  constexpr std::array<std::uint8_t, checksum_bytes> zeros{};
  std::uint32_t remainder = crc32c_add(crc32c_start, packet.first(before));
  remainder = crc32c_add(remainder, zeros);
  remainder = crc32c_add(remainder, packet.subspan(before + checksum_bytes));
  const std::uint32_t said = static_cast<std::uint32_t>(read_two(sum)) << 16 |
                             static_cast<std::uint32_t>(read_two(sum.subspan(2)));
  return crc32c_end(remainder) == said;
}

Fault check_extensions(ByteView packet, ByteView extensions) noexcept {
  bool has_sum = false;
  while (!extensions.empty()) {
    if (extensions.size() < extension_head_bytes) return Fault::bad_extension;
    const std::size_t size = read_two(extensions.subspan(1));
    if (size > extensions.size() - extension_head_bytes) return Fault::bad_extension;
    if (extensions.front() == checksum_extension) {
      if (has_sum || size != checksum_bytes) return Fault::bad_extension;
      has_sum = true;
      if (!is_sum_of(packet, extensions.subspan(extension_head_bytes, size))) {
        return Fault::bad_checksum;
      }
    }
    extensions = extensions.subspan(extension_head_bytes + size);
  }
  return Fault::none;
}

}  // namespace

HeaderStep decode_packet(ByteView in) noexcept {
  const std::size_t opening = std::min(in.size(), signature.size());
  if (!std::equal(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(opening),
                  signature.begin())) {
    return malformed(Fault::no_header);
  }
  if (in.size() > 12 && (in[12] & 0xf0) != version_2) return malformed(Fault::bad_version);
  if (in.size() < head_bytes) return {};
  const std::uint8_t command = in[12] & 0x0f;
  if (command != local && command != proxy) return malformed(Fault::bad_command);
  const std::size_t body_bytes = read_two(in.subspan(14));
  if (body_bytes > packet_body_bytes_max) return malformed(Fault::bad_length);
  HeaderStep step{.kind = HeaderStep::Kind::header, .size_bytes = head_bytes + body_bytes};
  if (command == local) {
    // §2.2: whatever else it says is to be passed over.
    return in.size() < step.size_bytes ? HeaderStep{} : step;
  }
  const std::uint8_t family = in[13];
  if (family != unspecified && family != tcp_over_ipv4 && family != tcp_over_ipv6) {
    return malformed(Fault::unsupported_family);
  }
  const std::size_t host_bytes = host_bytes_of(family);
  const std::size_t address_bytes = host_bytes == 0 ? 0 : 2 * host_bytes + 4;
  if (body_bytes < address_bytes) return malformed(Fault::bad_length);
  if (in.size() < step.size_bytes) return {};
  if (family == unspecified) return step;
  const ByteView packet = in.first(step.size_bytes);
  const ByteView body = packet.subspan(head_bytes);
  const Fault fault = check_extensions(packet, body.subspan(address_bytes));
  if (fault != Fault::none) return malformed(fault);
  read_addresses(body, host_bytes, step);
  return step;
}

std::size_t write_packet(const Address& source, const Address& destination,
                         std::span<std::uint8_t, written_bytes_max> out) noexcept {
  const std::size_t host_bytes = source.is_v6 ? 16 : 4;
  auto* at = std::ranges::copy(signature, out.data()).out;
  *at++ = version_2 | proxy;
  *at++ = source.is_v6 ? tcp_over_ipv6 : tcp_over_ipv4;
  *at++ = 0;
  *at++ = static_cast<std::uint8_t>(2 * host_bytes + 4);
  at = std::copy_n(source.bytes.begin(), host_bytes, at);
  at = std::copy_n(destination.bytes.begin(), host_bytes, at);
  for (const std::uint16_t port : {source.port, destination.port}) {
    *at++ = static_cast<std::uint8_t>(port >> 8);
    *at++ = static_cast<std::uint8_t>(port & 0xff);
  }
  return static_cast<std::size_t>(at - out.data());
}

std::size_t write_local_packet(std::span<std::uint8_t, written_bytes_max> out) noexcept {
  auto* at = std::ranges::copy(signature, out.data()).out;
  *at++ = version_2 | local;
  at = std::fill_n(at, 3, std::uint8_t{0});  // no family, and nothing behind
  return static_cast<std::size_t>(at - out.data());
}

}  // namespace sluice::proxy_protocol
