#include "audit/secret_file.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cerrno>
#include <vector>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

constexpr ::uid_t service = 990;
constexpr ::uid_t stranger = 991;

struct Entry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id = static_cast<std::uint32_t>(ACL_UNDEFINED_ID);
};

/// As the kernel gives it; the tests' hosts are little-endian, as it is.
std::vector<std::uint8_t> access_list(std::initializer_list<Entry> entries) {
  std::vector<std::uint8_t> out{POSIX_ACL_XATTR_VERSION, 0, 0, 0};
  const auto put = [&out](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  for (const Entry& entry : entries) {
    put(entry.tag, 2);
    put(entry.permissions, 2);
    put(entry.id, 4);
  }
  return out;
}

/// What systemd makes: `fchmod 0400`, then read permission for one user.
std::vector<std::uint8_t> list_of_credential(::uid_t reader) {
  return access_list({{ACL_USER_OBJ, ACL_READ},
                      {ACL_USER, ACL_READ, reader},
                      {ACL_GROUP_OBJ, 0},
                      {ACL_MASK, ACL_READ},
                      {ACL_OTHER, 0}});
}

}  // namespace

TEST_CASE("A secret's file is private when only its owner and its reader may read it") {
  const auto credential = list_of_credential(service);
  CHECK(is_private({0600, stranger, {}}, service));
  CHECK(is_private({0400, 0, {}}, service));
  CHECK(is_private({0440, 0, credential}, service));
  CHECK(is_private({0440, service, credential}, service));

  // Without the list the group's bits are the group's.
  CHECK_FALSE(is_private({0440, 0, {}}, service));
  CHECK_FALSE(is_private({0440, stranger, credential}, service));
  CHECK_FALSE(is_private({0440, 0, list_of_credential(stranger)}, service));
  for (const ::mode_t mode : {0444U, 0404U, 0460U, 0450U, 0640U, 0601U}) {
    INFO(mode);
    CHECK_FALSE(is_private({mode, 0, credential}, service));
  }
}

TEST_CASE("An access list that lets anybody else read is refused") {
  const Entry owner{ACL_USER_OBJ, ACL_READ};
  const Entry reader{ACL_USER, ACL_READ, service};
  const Entry group{ACL_GROUP_OBJ, 0};
  const Entry mask{ACL_MASK, ACL_READ};
  const Entry others{ACL_OTHER, 0};
  const auto check = [](std::initializer_list<Entry> entries) {
    return is_private({0440, 0, access_list(entries)}, service);
  };
  CHECK(check({owner, reader, group, mask, others}));
  CHECK_FALSE(check({owner, reader, {ACL_GROUP_OBJ, ACL_READ}, mask, others}));
  CHECK_FALSE(check({owner, reader, group, mask, {ACL_OTHER, ACL_READ}}));
  CHECK_FALSE(check({owner, {ACL_USER, ACL_READ | ACL_WRITE, service}, group, mask, others}));
  CHECK_FALSE(check({owner, reader, {ACL_USER, ACL_READ, stranger}, group, mask, others}));
  CHECK_FALSE(check({owner, reader, group, {ACL_GROUP, ACL_READ, 7}, mask, others}));
  CHECK_FALSE(check({owner, {ACL_GROUP, ACL_READ, service}, group, mask, others}));
  CHECK_FALSE(check({owner, {ACL_GROUP_OBJ, ACL_READ}, others}));
  auto cut = list_of_credential(service);
  for (; !cut.empty(); cut.pop_back()) {
    const auto longer_by_none = cut.size() == list_of_credential(service).size();
    CHECK(is_private({0440, 0, cut}, service) == longer_by_none);
  }
  auto other_version = list_of_credential(service);
  other_version[0] = 3;
  CHECK_FALSE(is_private({0440, 0, other_version}, service));
}

TEST_CASE("A credential that systemd made for a service is read by that service") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "credential";
  write_file(path, "secret");
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  const auto read = [&path] { return read_secret_file(path, "the secret", "make one"); };
  REQUIRE(read());
  CHECK(*read() == "secret");
  if (::geteuid() != 0) return;

  constexpr ::uid_t nobody = 65534;
  const auto list = list_of_credential(nobody);
  if (::setxattr(path.c_str(), "system.posix_acl_access", list.data(), list.size(), 0) != 0) {
    WARN("this file system has no access lists");
    return;
  }
  struct ::stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0440U);
  REQUIRE(::chmod(folder.path().c_str(), 0711) == 0);
  // Not by root, for whom it was not made.
  CHECK_FALSE(read());
  const pid_t process = ::fork();
  if (process == 0) {
    const bool is_read = ::setuid(nobody) == 0 && read() && *read() == "secret";
    ::_exit(is_read ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  CHECK(status == 0);
}

TEST_CASE("A secret's file that is missing, long or open to others is named with what to do") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "secret";
  CHECK(read_secret_file(path, "the PIN", "put it there").error().message ==
        "the PIN " + path.string() + " does not exist; put it there");
  write_file(path, std::string(secret_file_bytes_max, 'x'));
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(read_secret_file(path, "the PIN", ""));
  write_file(path, std::string(secret_file_bytes_max + 1, 'x'));
  CHECK(
      read_secret_file(path, "the PIN", "").error().message.ends_with("is longer than 1024 bytes"));
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  write_file(path, "x");
  CHECK(read_secret_file(path, "the PIN", "")
            .error()
            .message.ends_with("may be read by others (mode 0640); set it to 0600"));
}

}  // namespace sluice::audit
