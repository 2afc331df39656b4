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
  return {settings.signing_key,
          signer.state.empty() ? state_beside(settings.directory) : signer.state, signer.user};
}

Result<std::unique_ptr<audit::ProcessSigner>> start_signer(const config::Settings& settings) {
  return audit::ProcessSigner::start(signer_settings(settings.audit));
}

}  // namespace sluice::cli
