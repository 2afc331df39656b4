// Durations, sizes and addresses as the configuration writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"

namespace sluice::config {

/// Decimal digits only; nothing when there is anything else or no room.
std::optional<std::uint64_t> parse_count(std::string_view text) noexcept;

/// "250ms", "10s", "5m", "2h", "1d".
Result<Duration> parse_duration(std::string_view text);
std::string duration_text(Duration duration);

/// "65536", "64KiB", "16MiB", "1GiB".
Result<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);

/// "100/s", "30/m", "5/h".
Result<Rate> parse_rate(std::string_view text);
std::string rate_text(const Rate& rate);
/// Who must agree: "2 of dba", "1 of each of dba, security".
std::string approvers_text(const Approval& approval);

/// "host:port" or "[v6]:port". A numeric host comes back in its canonical form.
Result<SocketAddress> parse_address(std::string_view text);
std::string address_text(const SocketAddress& address);

/// IPv4 or IPv6 in digits.
bool is_numeric_host(const std::string& host) noexcept;
/// 127.0.0.0/8 or ::1.
bool is_loopback(const SocketAddress& address) noexcept;

}  // namespace sluice::config
