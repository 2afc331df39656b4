#include "cli/signer.h"

#include <string>

namespace sluice::cli {
namespace {

/// Not in the directory: what was rolled back with it could not tell.
std::string state_beside(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  return directory + ".signed";
}

}  // namespace

audit::SignerSettings signer_settings(const config::Audit& settings) {
  const config::AuditSigner& signer = settings.signer;
  audit::SignerSettings out{settings.signing_key.file,
                            signer.state.empty() ? state_beside(settings.directory) : signer.state,
                            signer.user,
                            signer.seal_every,
                            {}};
  if (settings.token) {
    const config::AuditToken& token = *settings.token;
    out.token = {settings.signing_key.uri, token.origin, token.module, token.pin,
                 token.environment};
  }
  return out;
}

Result<audit::Signer> open_signing_key(const config::Audit& settings) {
  if (!settings.token) return audit::Signer::load(settings.signing_key.file);
  return audit::open_token_key(signer_settings(settings).token);
}

Result<std::unique_ptr<audit::ProcessSigner>> start_signer(const config::Settings& settings) {
  return audit::ProcessSigner::start(signer_settings(settings.audit));
}

}  // namespace sluice::cli
