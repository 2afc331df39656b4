// PostgreSQL's md5 login, for servers that still have it: never towards clients.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sluice::identity {

/// What PasswordMessage answers to AuthenticationMD5Password:
/// "md5" and hex(md5(hex(md5(password, user)), salt)).
/// Nothing: OpenSSL has no MD5 here (FIPS) or failed.
/// source  PostgreSQL manual, "Message Flow: Start-up".
std::optional<std::string> md5_password(std::string_view user, std::string_view password,
                                        ByteView salt);

}  // namespace sluice::identity
