// Version 1: a line of text (§2.1).
#pragma once

#include "parsers/proxy_protocol/header.h"

namespace sluice::proxy_protocol {

inline constexpr std::string_view line_opening = "PROXY ";

HeaderStep decode_line(ByteView in) noexcept;

/// Both of one family.
std::size_t write_line(const Address& source, const Address& destination,
                       std::span<std::uint8_t, written_bytes_max> out) noexcept;
std::size_t write_unknown_line(std::span<std::uint8_t, written_bytes_max> out) noexcept;

}  // namespace sluice::proxy_protocol
