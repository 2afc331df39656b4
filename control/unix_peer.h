// Who is at the other end of a unix socket, as the kernel says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/descriptor.h"

namespace sluice::control {

struct UnixPeer {
  std::uint32_t user = 0;
  std::vector<std::uint32_t> groups;  ///< All that the process had when it connected.
};

/// Nothing where the kernel does not say, as of TCP.
[[nodiscard]] std::optional<UnixPeer> unix_peer(const Descriptor& socket);

/// Root, and the user that the gateway is: either could read the gateway's keys.
[[nodiscard]] bool is_operator(std::uint32_t user) noexcept;

// Of the host's accounts; nothing where there is none.
[[nodiscard]] std::optional<std::string> user_name(std::uint32_t user);
[[nodiscard]] std::optional<std::string> group_name(std::uint32_t group);
[[nodiscard]] std::optional<std::uint32_t> group_number(const std::string& name);

}  // namespace sluice::control
