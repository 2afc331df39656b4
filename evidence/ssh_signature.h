// Signatures that OpenSSH's ssh-keygen makes and checks (-Y verify), with the log's key.
//
// source   OpenSSH, PROTOCOL.sshsig
#pragma once

#include <string>
#include <string_view>

#include "audit/keys.h"
#include "audit/log_signer.h"
#include "base/result.h"

namespace sluice::evidence {

/// Armored, as ssh-keygen writes it.
Result<std::string> ssh_sign(audit::LogSigner& signer, std::string_view message);
/// error   it is not this key's signature over the message.
[[nodiscard]] Result<void> ssh_check(const audit::Verifier& verifier, std::string_view message,
                                     std::string_view armored);
/// A line for ssh-keygen's allowed_signers file; the log's origin is the identity.
std::string ssh_allowed_signer(const audit::Verifier& verifier);

}  // namespace sluice::evidence
