// The signer process that a configuration asks for.
#pragma once

#include <memory>

#include "audit/signer_client.h"
#include "base/result.h"
#include "config/model/settings.h"

namespace sluice::cli {

audit::SignerSettings signer_settings(const config::Audit& settings);
/// For verbs that sign without it, or only look: the key itself, in this process.
Result<audit::Signer> open_signing_key(const config::Audit& settings);
Result<std::unique_ptr<audit::ProcessSigner>> start_signer(const config::Settings& settings);

}  // namespace sluice::cli
