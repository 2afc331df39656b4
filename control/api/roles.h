// Roles, and who has which.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/settings.h"
#include "control/unix_peer.h"

namespace sluice::control::api {

enum class Role : std::uint8_t { viewer, auditor, approver, admin };
inline constexpr std::array all_roles{Role::viewer, Role::auditor, Role::approver, Role::admin};
std::string_view text(Role role) noexcept;

/// A set of them.
class Roles {
 public:
  constexpr Roles() = default;
  // A role is a set of one: tables are written so.
  constexpr Roles(Role role) noexcept  // NOLINT(google-explicit-constructor)
      : bits_(static_cast<std::uint8_t>(1U << static_cast<unsigned>(role))) {}

  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  [[nodiscard]] constexpr bool intersects(Roles other) const noexcept {
    return (bits_ & other.bits_) != 0;
  }
  friend constexpr Roles operator|(Roles one, Roles other) noexcept {
    one.bits_ |= other.bits_;
    return one;
  }
  friend constexpr bool operator==(Roles one, Roles other) noexcept = default;

 private:
  std::uint8_t bits_ = 0;
};
constexpr Roles operator|(Role one, Role other) noexcept {
  return Roles(one) | Roles(other);
}

/// "viewer, admin"
std::string text(Roles roles);

/// Of a proved principal's groups.
[[nodiscard]] Roles roles_of(const std::vector<std::string>& groups,
                             const config::AdminRoles& roles);
/// Of an account of the host. Groups and users may also be written as numbers.
[[nodiscard]] Roles roles_of(const UnixPeer& peer, const config::AdminRoles& roles);

}  // namespace sluice::control::api
