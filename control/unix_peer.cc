#include "control/unix_peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::control {
namespace {

/// Of an entry in the databases of accounts.
constexpr std::size_t entry_bytes_max = std::size_t{64} << 10;

}  // namespace

std::optional<UnixPeer> unix_peer(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool is_known = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                        peer.uid != static_cast<uid_t>(-1);
  if (!is_known) return std::nullopt;
  UnixPeer out{peer.uid, {}};
  std::vector<gid_t> groups(64);
  for (;;) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) break;
    // It says how many there are. Without them the account has what its user has.
    if (errno != ERANGE) size = 0;
    if (size == 0) break;
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  out.groups.assign(groups.begin(), groups.end());
  out.groups.push_back(peer.gid);
  return out;
}

bool is_operator(std::uint32_t user) noexcept {
  return user == 0 || user == ::geteuid();
}

std::optional<std::string> user_name(std::uint32_t user) {
  std::vector<char> room(entry_bytes_max);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return std::string(entry.pw_name);
}

std::optional<std::string> group_name(std::uint32_t group) {
  std::vector<char> room(entry_bytes_max);
  ::group entry{};
  ::group* found = nullptr;
  if (::getgrgid_r(group, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return std::string(entry.gr_name);
}

std::optional<std::uint32_t> group_number(const std::string& name) {
  std::vector<char> room(entry_bytes_max);
  ::group entry{};
  ::group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return entry.gr_gid;
}

}  // namespace sluice::control
