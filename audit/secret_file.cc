#include "audit/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sluice::audit {
namespace {

constexpr const char* access_list_name = "system.posix_acl_access";
/// A version and five entries: owner, one user, group, mask, others.
constexpr std::size_t access_list_bytes =
    sizeof(::posix_acl_xattr_header) + 5 * sizeof(::posix_acl_xattr_entry);

std::uint32_t number_at(ByteView bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | bytes[at + i];
  return value;
}

/// The kernel keeps entries in this order, and the mask whenever there is a named user.
bool lets_only(ByteView list, ::uid_t reader) {
  if (list.size() != access_list_bytes) return false;
  if (number_at(list, 0, 4) != POSIX_ACL_XATTR_VERSION) return false;
  struct Wanted {
    std::uint32_t tag;
    std::uint32_t most;  ///< Permissions that it may have.
  };
  constexpr std::array<Wanted, 5> wanted{{{ACL_USER_OBJ, ACL_READ},
                                          {ACL_USER, ACL_READ},
                                          {ACL_GROUP_OBJ, 0},
                                          {ACL_MASK, ACL_READ},
                                          {ACL_OTHER, 0}}};
  std::size_t at = sizeof(::posix_acl_xattr_header);
  for (const Wanted& entry : wanted) {
    if (number_at(list, at, 2) != entry.tag) return false;
    if ((number_at(list, at + 2, 2) & ~entry.most) != 0) return false;
    if (entry.tag == ACL_USER && number_at(list, at + 4, 4) != reader) return false;
    at += sizeof(::posix_acl_xattr_entry);
  }
  return true;
}

}  // namespace

bool is_private(const FileAccess& access, ::uid_t reader) noexcept {
  const ::mode_t permissions = access.mode & (S_IRWXU | S_IRWXG | S_IRWXO);
  if ((permissions & (S_IRWXG | S_IRWXO)) == 0) return true;
  return permissions == (S_IRUSR | S_IRGRP) && (access.owner == 0 || access.owner == reader) &&
         lets_only(access.access_list, reader);
}

Result<std::string> read_secret_file(const std::filesystem::path& path, std::string_view what,
                                     std::string_view missing) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return fail(fmt::format("{} {} does not exist{}{}", what, path.string(),
                            missing.empty() ? "" : "; ", missing));
  }
  if (fd < 0) {
    return fail(fmt::format("cannot open {} {}: {}", what, path.string(), std::strerror(errno)));
  }
  struct ::stat info {};
  // One byte more, so that a longer list does not pass for this one.
  std::array<std::uint8_t, access_list_bytes + 1> list{};
  std::string text(secret_file_bytes_max + 1, '\0');
  const bool has_info = ::fstat(fd, &info) == 0;
  const ssize_t listed = ::fgetxattr(fd, access_list_name, list.data(), list.size());
  const ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  if (!has_info || got < 0) return fail(fmt::format("cannot read {} {}", what, path.string()));
  text.resize(static_cast<std::size_t>(got));
  const auto list_bytes = static_cast<std::size_t>(listed < 0 ? 0 : listed);
  const FileAccess access{info.st_mode, info.st_uid, ByteView(list).first(list_bytes)};
  if (is_private(access, ::geteuid()) && text.size() <= secret_file_bytes_max) return text;
  const bool is_long = text.size() > secret_file_bytes_max;
  OPENSSL_cleanse(text.data(), text.size());
  if (is_long) {
    return fail(
        fmt::format("{} {} is longer than {} bytes", what, path.string(), secret_file_bytes_max));
  }
  return fail(fmt::format("{} {} may be read by others (mode {:04o}); set it to 0600", what,
                          path.string(), info.st_mode & 07777U));
}

}  // namespace sluice::audit
