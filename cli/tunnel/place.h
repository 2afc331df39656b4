// Where a tunnel is, and how programs are told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/model/settings.h"

namespace sluice::cli::tunnel {

/// The same for the same two wherever and whenever: in 20000–29999, below what kernels give out by
/// themselves (ip_local_port_range).
[[nodiscard]] std::uint16_t usual_port(std::string_view gateway_host, std::string_view target);

/// A line for a shell that uses the tunnel.
/// user, database  of PostgreSQL; what is empty is left out.
[[nodiscard]] std::string command_line(config::Protocol protocol, std::uint16_t port,
                                       std::string_view user, std::string_view database);

}  // namespace sluice::cli::tunnel
