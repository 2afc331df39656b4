// Tokens of the gateway's own as the admin socket speaks of them: JSON each way.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "control/http.h"
#include "control/token_mint.h"

namespace sluice::cli {

/// body      {"credential":…} or {"subject":…,"groups":[…]}, with "target" and "lifetime_seconds"
///           as wanted
/// ask_keys  newer keys of this issuer may help who asks again
control::HttpReply mint_token(control::TokenMint& mint, const control::MintBasis& basis,
                              const control::HttpRequest& request,
                              const std::function<void(std::string_view issuer)>& ask_keys);
/// body   {"id":…}
/// adopt  makes known to workers what the list has now
control::HttpReply revoke_token(control::TokenMint& mint, const control::MintBasis& basis,
                                const control::HttpRequest& request,
                                const std::function<Result<void>()>& adopt);

}  // namespace sluice::cli
