// Whether a signed assertion signs somebody in here and now, and whom. Pure: what was read, what
// was asked, the configuration and the time in, a principal or a fault out.
//
// source   SAML Profiles §4.1.4.3, SAML Core §2.4.1.2 and §2.5.1
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"
#include "config/model/identity_settings.h"
#include "config/model/principal.h"
#include "saml/facts.h"
#include "saml/fault.h"

namespace sluice::saml {

struct Verdict {
  Fault fault = Fault::none;
  config::Principal principal;  ///< Without a subject where there is a fault.
};

/// request       the ID of the request that is answered.
/// unsigned_one  the envelope as it came, for where the assertion alone is signed.
[[nodiscard]] Verdict judge(const Statement& statement, const Envelope& unsigned_one,
                            std::string_view request, const config::SamlProvider& settings,
                            WallTime now);

}  // namespace sluice::saml
