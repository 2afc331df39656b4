// Version 2: sixteen bytes, addresses, extensions (§2.2).
#pragma once

#include "parsers/proxy_protocol/header.h"

namespace sluice::proxy_protocol {

HeaderStep decode_packet(ByteView in) noexcept;

/// Both of one family.
std::size_t write_packet(const Address& source, const Address& destination,
                         std::span<std::uint8_t, written_bytes_max> out) noexcept;
std::size_t write_local_packet(std::span<std::uint8_t, written_bytes_max> out) noexcept;

}  // namespace sluice::proxy_protocol
