// Signatures that OpenSSH's ssh-keygen makes and checks (-Y verify), with the log's key.
//
// source   OpenSSH, PROTOCOL.sshsig
#pragma once

#include <string>
#include <string_view>

#include "audit/keys.h"
#include "base/result.h"

namespace sluice::evidence {

/// What the signature is for: a signature for one purpose is none for another.
inline constexpr std::string_view ssh_namespace = "sluice-evidence";

/// Armored, as ssh-keygen writes it.
Result<std::string> ssh_sign(audit::Signer& signer, std::string_view message);
/// error   it is not this key's signature over the message.
[[nodiscard]] Result<void> ssh_check(const audit::Verifier& verifier, std::string_view message,
                                     std::string_view armored);
/// A line for ssh-keygen's allowed_signers file; the log's origin is the identity.
std::string ssh_allowed_signer(const audit::Verifier& verifier);

}  // namespace sluice::evidence
