#include "control/api/roles.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control::api {
namespace {

constexpr std::string_view user_prefix = "unix-user:";
constexpr std::string_view group_prefix = "unix-group:";
template <class Has>
Roles roles_where(const config::AdminRoles& roles, Has has) {
  Roles out;
  if (std::ranges::any_of(roles.viewer, has)) out = out | Role::viewer;
  if (std::ranges::any_of(roles.auditor, has)) out = out | Role::auditor;
  if (std::ranges::any_of(roles.approver, has)) out = out | Role::approver;
  if (std::ranges::any_of(roles.admin, has)) out = out | Role::admin;
  return out;
}

bool is_of_host(std::string_view entry) noexcept {
  return entry.starts_with(user_prefix) || entry.starts_with(group_prefix);
}

}  // namespace

std::string_view text(Role role) noexcept {
  switch (role) {
    case Role::viewer:
      return "viewer";
    case Role::auditor:
      return "auditor";
    case Role::approver:
      return "approver";
    case Role::admin:
      return "admin";
  }
  return "viewer";
}

std::string text(Roles roles) {
  std::string out;
  for (const Role role : all_roles) {
    if (!roles.intersects(role)) continue;
    out += out.empty() ? "" : ", ";
    out += text(role);
  }
  return out;
}

Roles roles_of(const std::vector<std::string>& groups, const config::AdminRoles& roles) {
  return roles_where(roles, [&groups](const std::string& entry) {
    // Whoever vouches for a token could name its groups like this.
    return !is_of_host(entry) && std::ranges::find(groups, entry) != groups.end();
  });
}

Roles roles_of(const UnixPeer& peer, const config::AdminRoles& roles) {
  std::vector<std::string> names{fmt::format("{}{}", user_prefix, peer.user)};
  if (auto name = user_name(peer.user)) names.push_back(std::string(user_prefix) + *name);
  for (const std::uint32_t group : peer.groups) {
    names.push_back(fmt::format("{}{}", group_prefix, group));
    if (auto name = group_name(group)) names.push_back(std::string(group_prefix) + *name);
  }
  const Roles mapped = roles_where(roles, [&names](const std::string& entry) {
    return std::ranges::find(names, entry) != names.end();
  });
  return is_operator(peer.user) ? mapped | Role::admin : mapped;
}

}  // namespace sluice::control::api
