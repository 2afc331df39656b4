// Files that hold a secret: read only where nobody but their owner, and the user that
// this process is, could have read them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr std::size_t secret_file_bytes_max = 1024;

struct FileAccess {
  ::mode_t mode = 0;
  ::uid_t owner = 0;
  /// The extended attribute `system.posix_acl_access` as the kernel gives it; empty: none.
  ByteView access_list;
};

/// Whether of all users but root only the owner and `reader` may read. Two forms do:
/// mode 0600 or less; and what systemd makes of a credential for a service with a user of
/// its own, 0440 with an access list whose one named user is `reader` (`credentials` in
/// systemd.exec(5)). There the group's bits are the list's mask; the group may nothing.
bool is_private(const FileAccess& access, ::uid_t reader) noexcept;

/// what     in messages: "the audit signing key".
/// missing  what to do when there is no such file; may be empty.
/// errors   it is not there, readable by others, or longer than `secret_file_bytes_max`.
/// The caller erases what it got.
Result<std::string> read_secret_file(const std::filesystem::path& path, std::string_view what,
                                     std::string_view missing);

}  // namespace sluice::audit
