// What the log's key signs of an evidence package: never the text itself, but its digest, for this
// one purpose, as OpenSSH's ssh-keygen has it signed.
//
// source   OpenSSH, PROTOCOL.sshsig
#pragma once

#include <string>
#include <string_view>

#include "audit/sha256.h"

namespace sluice::audit {

/// What the signature is for: a signature for one purpose is none for another.
inline constexpr std::string_view package_namespace = "sluice-evidence";
inline constexpr std::string_view ssh_magic = "SSHSIG";
inline constexpr std::string_view ssh_hash_name = "sha256";

/// RFC 4251 §5: a length in four bytes, then the bytes.
[[nodiscard]] std::string ssh_string(std::string_view text);

/// No checkpoint, and no seal: those are lines of text, and this has zero bytes.
/// manifest   the digest of the package's manifest, which has those of all else.
[[nodiscard]] std::string package_statement(const Hash& manifest);

}  // namespace sluice::audit
